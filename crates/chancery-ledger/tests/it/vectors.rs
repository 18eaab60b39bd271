//! What others publish for their own implementations holds for this one.

use base64::prelude::{BASE64_STANDARD, Engine as _};
use chancery_ledger::{
    Checkpoint, LedgerReader, Storage as _, UnverifiedCheckpoint, VerifierKey, verify_consistency,
    verify_proof,
};
use serde_json::Value;

use crate::disk::Disk;
use crate::tree::ledger_of;
use crate::{NOW, create, keyring, keys, oracle, reader, slices};

/// The leaves that the tests of Certificate Transparency are built on.
const LEAVES: [&str; 8] = [
    "",
    "00",
    "10",
    "2021",
    "3031",
    "40414243",
    "5051525354555657",
    "606162636465666768696a6b6c6d6e6f",
];

/// Hashes of their tree, named as in the figure of RFC 6962 section 2.1.3.
const B: &str = "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7";
const C: &str = "0298d122906dcfc10892cb53a73992fc5b9f493ea4c9badb27b791b4127a7fe7";
const D: &str = "07506a85fd9dd2f120eb694f86011e5bb4662e5c415a62917033d4a9624487e7";
const F: &str = "4271a26be0d8a84f0bd54c8c302e7cb3a3b5d1fa6780a40bcce2873477dab658";
const G: &str = "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125";
const H: &str = "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e";
const I: &str = "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a";
const J: &str = "b08693ec2e721597130641e8211e7eedccb4c26413963eee6c1e2ed16ffb1a5f";
const K: &str = "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7";

fn leaves() -> Vec<Vec<u8>> {
    LEAVES.iter().map(|leaf| bytes(leaf)).collect()
}

fn bytes(hex: &str) -> Vec<u8> {
    let digits = hex.as_bytes().chunks(2);
    digits
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}

fn hashes(hex: &[&str]) -> Vec<[u8; 32]> {
    hex.iter()
        .map(|hash| bytes(hash).try_into().unwrap())
        .collect()
}

fn log_of(entries: &[Vec<u8>]) -> LedgerReader {
    let disk = Disk::default();
    create(&disk)
        .unwrap()
        .append_batch(&slices(entries))
        .unwrap();
    reader(&disk)
}

#[test]
fn the_proofs_of_the_example_in_rfc_6962_come_out_as_printed_there() {
    let seven = log_of(&leaves()[..7]);
    let l = oracle::root(&leaves()[4..7]);
    let with_l = |hex: &[&str]| [hashes(hex), vec![l]].concat();

    let paths = [
        (0, with_l(&[B, H])),
        (3, with_l(&[C, G])),
        (4, hashes(&[F, J, K])),
        (6, hashes(&[I, K])),
    ];
    for (index, path) in paths {
        assert_eq!(
            seven.prove(index).unwrap().hashes,
            path,
            "PATH({index}, D[7])"
        );
    }

    let proofs = [
        (3, with_l(&[C, D, G])),
        (4, vec![l]),
        (6, hashes(&[I, J, K])),
    ];
    for (older, proof) in proofs {
        assert_eq!(
            seven.prove_consistency(older).unwrap(),
            proof,
            "PROOF({older}, D[7])"
        );
    }
}

/// A line of `tests/vectors`: what to verify, and whether it may hold.
struct Probe(Value);

impl Probe {
    fn all(lines: &str) -> Vec<Self> {
        let probes = lines.lines().map(|line| Self(line.parse().unwrap()));
        probes.collect()
    }

    fn text(&self, field: &str) -> &str {
        self.0[field].as_str().unwrap_or_default()
    }

    /// A checkpoint by our keys, if one can have this size and root.
    fn checkpoint(&self, size: &str, root: &str) -> Option<Checkpoint> {
        let root = BASE64_STANDARD.decode(self.text(root)).unwrap();
        let size = self.0[size].as_u64().unwrap();
        keys().sign(size, root.try_into().ok()?, NOW).ok()
    }

    fn proof(&self) -> Vec<&str> {
        let hashes = self.0["proof"].as_array().into_iter().flatten();
        hashes.map(|hash| hash.as_str().unwrap()).collect()
    }

    fn expect(&self, is_shown: bool) {
        assert_eq!(self.0["wantErr"], !is_shown, "{}", self.0);
    }
}

#[test]
fn inclusion_probes_come_out_as_transparency_dev_says() {
    let mut verified = 0;
    for probe in Probe::all(include_str!("../vectors/inclusion.jsonl")) {
        let leaf_hash = BASE64_STANDARD.decode(probe.text("leafHash")).unwrap();
        let is_of_leaf = |leaf: &Vec<u8>| oracle::root(std::slice::from_ref(leaf)) == *leaf_hash;
        // We start from an entry, so a leaf hash that no known entry has cannot be asked about.
        let Some(leaf) = leaves().into_iter().find(is_of_leaf) else {
            continue;
        };
        let checkpoint = probe.checkpoint("treeSize", "root");
        let path: String = probe
            .proof()
            .iter()
            .map(|hash| format!("{hash}\n"))
            .collect();
        let text = checkpoint.map(|checkpoint| {
            format!(
                "c2sp.org/tlog-proof@v1\nindex {}\n{path}\n{checkpoint}",
                probe.0["leafIdx"]
            )
        });
        // Without a checkpoint there is no proof: what should be the root is not a hash.
        let is_shown = text.is_some_and(|text| verify_proof(&text, &leaf, &keyring()).is_ok());
        probe.expect(is_shown);
        verified += 1;
    }
    assert_eq!(verified, 77);
}

#[test]
fn consistency_probes_come_out_as_transparency_dev_says() {
    let mut verified = 0;
    for probe in Probe::all(include_str!("../vectors/consistency.jsonl")) {
        // RFC 6962 leaves the empty tree out; there it is refused, here every tree begins with it.
        let is_of_empty_tree = probe.0["size1"] == 0;
        // This one's roots are words, not hashes.
        let is_of_words = probe.text("desc") == "additional/sizes-are-equal-one-and-proof-is-empty";
        if is_of_empty_tree || is_of_words {
            continue;
        }
        let older = probe.checkpoint("size1", "root1");
        let newer = probe.checkpoint("size2", "root2");
        let proof: Option<Vec<[u8; 32]>> = probe
            .proof()
            .iter()
            .map(|hash| BASE64_STANDARD.decode(hash).unwrap().try_into().ok())
            .collect();
        let is_shown = match (older, newer, proof) {
            (Some(older), Some(newer), Some(proof)) => {
                verify_consistency(&older, &newer, &proof).is_ok()
            }
            // Not the root of a tree, or not a hash.
            _ => false,
        };
        probe.expect(is_shown);
        verified += 1;
    }
    assert_eq!(verified, 88);
}

#[test]
fn a_tree_of_70_000_entries_has_the_tiles_that_tlog_tiles_names() {
    let disk = ledger_of(&[70_000]);
    let files = disk.folder().list("tile").unwrap();
    let number = |prefix: &str, is_partial: bool| {
        let of_level = files.iter().filter(|file| file.starts_with(prefix));
        of_level
            .filter(|file| file.contains(".p/") == is_partial)
            .count()
    };
    assert_eq!(number("tile/0/", false), 273);
    assert_eq!(number("tile/entries/", false), 273);
    assert_eq!(number("tile/1/", false), 1);
    let partial: Vec<_> = files.iter().filter(|file| file.contains(".p/")).collect();
    let expected = [
        "tile/0/273.p/112",
        "tile/1/001.p/17",
        "tile/2/000.p/1",
        "tile/entries/273.p/112",
    ];
    assert_eq!(partial, expected);
}

#[test]
fn the_notes_printed_in_the_c2sp_texts_are_read() {
    let vkey: VerifierKey = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
        .parse()
        .unwrap();
    let line = "Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=";
    let line = BASE64_STANDARD.decode(line).unwrap();
    assert_eq!(line[..4], bytes(&vkey.key_id()));
    vkey.verify(
        b"This is an example message.\n",
        line[4..].try_into().unwrap(),
    )
    .unwrap();

    let cosigned = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n\
        — example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n\
        — witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==\n";
    let checkpoint = UnverifiedCheckpoint::parse(cosigned.as_bytes()).unwrap();
    assert_eq!(checkpoint.size(), 20_852_163);
    assert_eq!(checkpoint.as_str(), cosigned);
}

#[test]
fn the_record_hash_of_go_is_the_root_of_a_log_of_one_entry() {
    let root = log_of(&[b"hello world".to_vec()]).checkpoint().root();
    let of_go = "TszzRgjTG6xce+z2AG31kAXYKBgQVtCSCE40HmuwBb0=";
    assert_eq!(BASE64_STANDARD.encode(root), of_go);
}
