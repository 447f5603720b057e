//! Makes the stubs of `proto/`, and a function that knows each of its messages by name.
use prost::Message;
use std::{env, fs, path::PathBuf};

fn main() {
    let protos = "../../proto";
    println!("cargo::rerun-if-changed={protos}");
    let mut files: Vec<PathBuf> = fs::read_dir(format!("{protos}/yonder/workspace/v1"))
        .expect("the contract lies beside the examples")
        .map(|entry| entry.expect("a readable directory").path())
        .collect();
    files.sort();
    let set = protox::compile(&files, [protos]).expect("the contract compiles");

    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    fs::write(out.join("contract.binpb"), set.encode_to_vec()).expect("a writable OUT_DIR");

    let arms: String = set
        .file
        .iter()
        .filter(|file| file.package() == "yonder.workspace.v1")
        .flat_map(|file| &file.message_type)
        .map(|message| {
            let name = message.name();
            format!("\"yonder.workspace.v1.{name}\" => crate::wire::{name}::decode(bytes)?.encode_to_vec(),\n")
        })
        .collect();
    fs::write(out.join("again.rs"), format!("match name {{ {arms} _ => panic!(\"no message {{name}}\") }}"))
        .expect("a writable OUT_DIR");

    tonic_prost_build::configure()
        .build_server(false)
        .compile_fds(set)
        .expect("stubs of the contract");
}
