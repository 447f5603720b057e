//! Checks the test vectors: what the stubs write of what they read means the same, and is the same where it can be.
//! prost has no JSON of its own, so that the meaning is read by prost-reflect.
use prost::Message;
use prost_reflect::{DescriptorPool, DynamicMessage};
use serde_json::Value;
use std::{error::Error, fs, path::Path};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

pub fn check(file: &Path) -> Result<()> {
    let contract = DescriptorPool::decode(&include_bytes!(concat!(env!("OUT_DIR"), "/contract.binpb"))[..])?;
    let read = fs::read(file).map_err(|error| format!("{}: {error}", file.display()))?;
    let vectors: Vec<Value> = serde_json::from_slice(&read)?;
    for vector in &vectors {
        let text = |key: &str| vector[key].as_str().unwrap_or_default();
        let wire = bytes(text("wire"));
        let again = again(text("message"), &wire)?;
        let descriptor = contract.get_message_by_name(text("message")).ok_or("no such message")?;
        for read in [&wire, &again] {
            let message = DynamicMessage::decode(descriptor.clone(), &read[..])?;
            let meaning = serde_json::to_value(&message)?;
            assert_eq!(meaning, vector["json"], "{}", text("name"));
        }
        if vector["roundTrips"] == true {
            assert_eq!(again, wire, "{}", text("name"));
        }
    }
    println!("{} vectors checked", vectors.len());
    Ok(())
}

/// The bytes as this message's stub reads and writes them.
fn again(name: &str, bytes: &[u8]) -> Result<Vec<u8>> {
    Ok(include!(concat!(env!("OUT_DIR"), "/again.rs")))
}

fn bytes(hex: &str) -> Vec<u8> {
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).expect("hexadecimal")).collect()
}
