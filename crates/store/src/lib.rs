//! Where tokens rest.
