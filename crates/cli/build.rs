//! How the program is linked.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let target = |what: &str| std::env::var(format!("CARGO_CFG_TARGET_{what}")).unwrap_or_default();
    // The unwinder comes along instead of being looked up: loading one shared library less is a
    // tenth of what `token` costs (docs/performance.md).
    if target("OS") == "linux" && target("ENV") == "gnu" {
        println!("cargo::rustc-link-lib=static=gcc_eh");
    }
}
