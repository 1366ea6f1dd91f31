//! What ServiceNow does beyond the RFCs, and where its sources disagree.

mod authorization;
mod lifetimes;
mod token_answer;
mod token_request;
