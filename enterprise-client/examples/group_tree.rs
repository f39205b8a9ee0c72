//! Creates a tree of groups from paths, and assigns devices to the groups.
//!
//! `cargo run --example group_tree -- east/hangzhou=MAC,MAC east/ningbo=MAC`, with the variables of
//! `common`.

mod common;

use std::collections::HashMap;
use std::io::{Write, stdout};

use common::{Result, product};
use gizwits_enterprise_client::{Gid, Product};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let wanted: Vec<String> = std::env::args().skip(1).collect();
    run(&product()?, &wanted, &mut stdout()).await
}

pub(crate) async fn run(product: &Product, wanted: &[String], out: &mut dyn Write) -> Result<()> {
    // Groups have no names in the API, so new groups are created. A product has only one root.
    let tree = product.groups().tree().send().await?;
    let root = match tree.0.first() {
        Some(root) => root.gid.clone(),
        None => product.groups().create().send().await?.gid,
    };
    writeln!(out, "{root}")?;
    let mut groups: HashMap<String, Gid> = HashMap::new();
    let mut complete = true;
    for one in wanted {
        let (path, macs) = one.split_once('=').unwrap_or((one, ""));
        let mut parent = root.clone();
        let mut at = String::new();
        for name in path.split('/').filter(|name| !name.is_empty()) {
            at = format!("{at}/{name}");
            parent = match groups.get(&at) {
                Some(gid) => gid.clone(),
                None => {
                    let gid = product.groups().create().under(parent).send().await?.gid;
                    writeln!(out, "{gid} {at}")?;
                    groups.insert(at.clone(), gid.clone());
                    gid
                }
            };
        }
        let macs: Vec<&str> = macs.split(',').filter(|mac| !mac.is_empty()).collect();
        if !macs.is_empty() {
            let outcome = product.group(parent).assign(macs).send().await?;
            writeln!(
                out,
                "{at}: {} assigned, {} failed, {} not mentioned, {} not sent",
                outcome.success.len(),
                outcome.failed.len(),
                outcome.unmentioned.len(),
                outcome.left.len()
            )?;
            complete &= outcome.is_complete();
            if let Some(error) = outcome.stopped {
                return Err(error.into());
            }
        }
    }
    if complete {
        Ok(())
    } else {
        Err("some devices were not assigned".into())
    }
}
