#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| snowtoken_fuzz::explained(data));
