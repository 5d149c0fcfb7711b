//! The build script of every board: tells the linker where the memory lies.

fn main() {
    let board = env!("CARGO_MANIFEST_DIR");
    println!("cargo:rustc-link-search={board}");
    if std::env::var("CARGO_CFG_TARGET_ARCH").is_ok_and(|name| name == "riscv32") {
        // riscv-rt's script does not include `memory.x`, and that of cortex-m-rt does.
        println!("cargo:rustc-link-arg-bins=-Tmemory.x");
    } else {
        println!("cargo:rustc-link-arg-bins=--nmagic");
    }
    println!("cargo:rustc-link-arg-bins=-Tlink.x");
    if std::env::var_os("CARGO_FEATURE_DEFMT").is_some() {
        println!("cargo:rustc-link-arg-bins=-Tdefmt.x");
    }
    println!("cargo:rerun-if-changed=memory.x");
    println!("cargo:rerun-if-changed=../link.rs");
}
