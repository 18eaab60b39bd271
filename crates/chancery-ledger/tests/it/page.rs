//! The verifier page in a real browser: a second implementation must agree with this crate.
//!
//! The page is driven through its address, as a link does, and its document is read back. What it
//! says is compared with [`verify_proof`] on the same bytes every time.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine as _};
use chancery_ledger::{
    Algorithm, InclusionProof, Keyring, LogKeys, Policy, SigningKey, UnverifiedCheckpoint, cosign,
    verify_proof,
};
use sha2::{Digest, Sha256};

use crate::oracle;

const NAME: &str = "agency.example/ledger";
const TIME: u64 = 1_780_000_000;
const INDEX: usize = 3;
const MANIFEST: &[u8] = br#"{"payloadType":"application/vnd.in-toto+json","payload":"eyJzdWJqZWN0IjpbXX0=","signatures":[]}"#;

#[test]
fn a_receipt_is_verified_and_shown() {
    let keys = log_keys();
    let shown = agreed(&receipt(&keys, &entries()), &keys.keyring().to_string());
    assert_eq!(shown.result, "verified");
    for text in [
        NAME,
        "index 3 ",
        "7 entries",
        "28 May 2026, 20:26:40 UTC",
        "dhs/ice",
        "2026-01-10",
    ] {
        assert!(shown.dom.contains(text), "`{text}` is not shown");
    }
    for key in keys.keyring().keys() {
        assert!(shown.dom.contains(&key.key_id()));
    }
}

#[test]
fn keys_that_came_with_the_link_are_not_taken_for_proof() {
    let keys = log_keys();
    let shown = agreed(&receipt(&keys, &entries()), &keys.keyring().to_string());
    assert!(shown.dom.contains(r#"data-keys-from="link""#));
    let warning = r#"<p id="link-keys" class="verdict linked" role="alert"><strong>The keys came"#;
    assert!(shown.dom.contains(warning));
    assert!(shown.dom.contains("Verified only against keys"));
    assert!(!shown.dom.contains("verdict verified"));
}

#[test]
fn a_receipt_alone_is_not_checked_before_there_are_keys() {
    let shown = open(
        &page(),
        &[("receipt", receipt(&log_keys(), &entries()).as_bytes())],
    );
    assert_eq!(shown.result, "none");
    let shown = open(&page(), &[("receipt", b""), ("keys", b"x")]);
    assert_eq!(shown.result, "unchecked");
}

#[test]
fn whatever_is_changed_in_a_receipt_is_refused() {
    let keys = log_keys();
    let good = receipt(&keys, &entries());
    let vkeys = keys.keyring().to_string();
    let lines: Vec<&str> = good.lines().collect();
    // Of each line that says something, a character in its middle; the head line is no claim.
    let said = lines.iter().enumerate().skip(1);
    for (number, line) in said.filter(|(_, line)| !line.is_empty()) {
        let mut changed: Vec<String> = lines.iter().map(ToString::to_string).collect();
        changed[number] = with_changed_middle(line);
        let shown = agreed(&(changed.join("\n") + "\n"), &vkeys);
        assert_eq!(shown.result, "refused", "line {number}");
        assert!(!shown.dom.contains("What was verified"));
    }
}

#[test]
fn a_missing_signature_is_refused_and_so_are_other_keys() {
    let keys = log_keys();
    let vkeys = keys.keyring().to_string();
    let good = receipt(&keys, &entries());
    let without_last = good.trim_end().rsplit_once('\n').unwrap().0.to_owned() + "\n";
    let shown = agreed(&without_last, &vkeys);
    assert_eq!(shown.result, "refused");
    assert!(shown.dom.contains("A signature is missing"));

    let others = LogKeys::generate(NAME, &[8; 32]).unwrap().keyring();
    assert_eq!(agreed(&good, &others.to_string()).result, "refused");
    let elsewhere = LogKeys::generate("other.example/ledger", &[7; 32]).unwrap();
    let shown = agreed(&good, &elsewhere.keyring().to_string());
    assert!(shown.dom.contains("from another ledger"));
}

#[test]
fn rotation_with_overlap_is_understood() {
    let old = log_keys();
    let both = LogKeys::from_keys(
        [
            LogKeys::generate(NAME, &[9; 32]).unwrap().keys(),
            old.keys(),
        ]
        .concat(),
    );
    let both = both.unwrap();
    let overlap = receipt(&both, &entries());
    assert_eq!(
        agreed(&overlap, &old.keyring().to_string()).result,
        "verified"
    );
    let vkeys = both.keyring().to_string();
    let shown = agreed(&receipt(&old, &entries()), &vkeys);
    assert_eq!(shown.result, "verified");
    assert!(shown.dom.contains("older keys"));
}

#[test]
fn a_policy_without_its_quorum_is_refused() {
    let keys = log_keys();
    let witness = |name: &str, algorithm, seed| SigningKey::generate(name, algorithm, [seed; 32]);
    let first = witness("one.example/w", Algorithm::MlDsa44, 21).unwrap();
    let second = witness("two.example/w", Algorithm::Ed25519Cosignature, 22).unwrap();
    let log = keys
        .keyring()
        .keys()
        .map(ToString::to_string)
        .collect::<Vec<_>>();
    let policy = format!(
        "# who counts\nlog {}\nlog {}\nwitness one {}\nwitness two {}\ngroup both all one two\nquorum both\n",
        log[0],
        log[1],
        first.verifier(),
        second.verifier(),
    );
    let alone = receipt(&keys, &entries());
    let checkpoint = UnverifiedCheckpoint::parse(checkpoint_of(&alone).as_bytes()).unwrap();
    let one = alone.clone() + &cosign(&first, &checkpoint, TIME + 1).unwrap();
    let two = one.clone() + &cosign(&second, &checkpoint, TIME + 2).unwrap();

    let shown = agreed(&one, &policy);
    assert_eq!(shown.result, "refused");
    assert!(shown.dom.contains("quorum is not met"));
    assert_eq!(agreed(&two, &policy).result, "verified");
    // Under the log's keys alone the witnesses are strangers, and do no harm.
    let shown = agreed(&two, &keys.keyring().to_string());
    assert_eq!(shown.result, "verified");
    assert!(shown.dom.contains("by a key that you did not give"));
}

#[test]
fn what_is_given_by_hand_is_verified_until_it_changes() {
    let keys = log_keys();
    let hand = |then: &str| {
        let script = format!(
            r#"<script>
            const give = (id, text) => {{
              document.getElementById(id).value = text;
              document.getElementById(id).dispatchEvent(new Event("input", {{ bubbles: true }}));
            }};
            const file = new DataTransfer();
            file.items.add(new File([`{}`], "a.tlog-proof"));
            document.getElementById("receipt-file").files = file.files;
            document.getElementById("receipt-file").dispatchEvent(new Event("change"));
            give("keys-text", `{}`);
            setTimeout(() => document.querySelector(".primary").click(), 1000);
            setTimeout(() => {{ {then} }}, 9000);
            </script></body>"#,
            receipt(&keys, &entries()),
            keys.keyring(),
        );
        let folder = tempfile::tempdir().unwrap();
        let driven = folder.path().join("verify.html");
        let html = std::fs::read_to_string(page()).unwrap();
        // The rules of the page keep this script out, too.
        let html = html.replace("http-equiv=\"Content-Security-Policy\"", "name=\"was\"");
        std::fs::write(&driven, html.replace("</body>", &script)).unwrap();
        open(&driven, &[])
    };
    let shown = hand("");
    assert_eq!(shown.result, "verified");
    assert!(shown.dom.contains("class=\"verdict verified\""));
    assert!(shown.dom.contains("data-keys-from=\"paste\""));
    assert!(!shown.dom.contains("Verified only against keys"));
    // No result outlives the inputs that it is about.
    let shown = hand("give('keys-text', 'x')");
    assert_eq!(shown.result, "none");
    assert!(!shown.dom.contains("class=\"verdict verified\""));
}

#[test]
fn a_manifest_is_compared_with_the_entry() {
    let keys = log_keys();
    let receipt = receipt(&keys, &entries());
    let vkeys = keys.keyring().to_string();
    let inputs = |manifest| {
        [
            ("receipt", receipt.as_bytes()),
            ("keys", vkeys.as_bytes()),
            ("manifest", manifest),
        ]
    };
    assert_eq!(open(&page(), &inputs(MANIFEST)).result, "verified");
    let shown = open(&page(), &inputs(b"{}"));
    assert_eq!(shown.result, "refused");
    assert!(shown.dom.contains("The manifest is not the one"));
}

#[test]
fn a_hostile_entry_is_shown_and_does_nothing() {
    let keys = log_keys();
    let hostile = concat!(
        r#"{"type":"release<script>document.title='pwned'</script>","recipient":"<img src=x onerror="#,
        r#"document.title='pwned'>","bidi":"abc\u202etxt.exe","a&b<i>":"\u0007\u200b","__proto__":{"x":1},"long":""#
    );
    let unseen = hostile
        .replace("\\u202e", "\u{202e}")
        .replace("\\u200b", "\u{200b}");
    let hostile = unseen + &"x".repeat(30_000) + r#""}"#;
    for entry in [hostile.clone(), hostile + "</pre><script>"] {
        let mut entries = entries();
        entries[INDEX] = entry.into_bytes();
        let shown = agreed(&receipt(&keys, &entries), &keys.keyring().to_string());
        assert_eq!(shown.result, "verified");
        assert!(shown.dom.contains("<title>Check a ledger receipt</title>"));
        assert!(shown.dom.contains("[U+202E]</span>txt.exe"));
        assert!(shown.dom.contains("&lt;img src=x"));
        assert!(!shown.dom.contains("<img") && !shown.dom.contains('\u{202e}'));
        assert_eq!(shown.scripts, 1);
    }
}

#[test]
fn the_page_lets_nothing_in_and_nothing_out() {
    let folder = tempfile::tempdir().unwrap();
    let tampered = folder.path().join("verify.html");
    let intruders = "<script>document.body.dataset.intruder = 1</script>\
        <style>body { color: red }</style><img src=\"http://127.0.0.1:9/leak\"></body>";
    let html = std::fs::read_to_string(page()).unwrap();
    assert!(html.contains("content=\"default-src 'none'; script-src 'sha256-"));
    assert!(!html.contains("unsafe-"));
    std::fs::write(&tampered, html.replace("</body>", intruders)).unwrap();
    let shown = open(&tampered, &[("receipt", b""), ("keys", b"")]);
    assert!(!shown.dom.contains("data-intruder"));
    // The page's own script does run, and breaks none of its own rules.
    assert_eq!(shown.result, "unchecked");
    assert_eq!(
        shown.log.matches("Content Security Policy").count(),
        3,
        "{}",
        shown.log
    );
    let own = open(&page(), &[("receipt", b""), ("keys", b"")]);
    assert!(!own.log.contains("Content Security Policy"), "{}", own.log);
}

#[test]
fn the_page_is_made_from_its_sources() {
    let folder = page().parent().unwrap().to_owned();
    let sources = std::fs::read_dir(folder.join("src")).unwrap();
    let mut names: Vec<String> = sources
        .map(|file| format!("src/{}", file.unwrap().file_name().to_str().unwrap()))
        .collect();
    names.sort();
    let fixed = ["build.js", "package-lock.json", "page.css", "page.html"];
    names.splice(0..0, fixed.map(str::to_owned));
    let mut list = String::new();
    for name in names {
        let digest = hex(&std::fs::read(folder.join(&name)).unwrap());
        writeln!(list, "{digest}  {name}").unwrap();
    }
    let stamp = format!("sources sha256:{} -->", hex(list.as_bytes()));
    let html = std::fs::read_to_string(page()).unwrap();
    assert!(
        html.contains(&stamp),
        "run `npm ci && npm run build` in verifier/"
    );
}

fn log_keys() -> LogKeys {
    LogKeys::generate(NAME, &[7; 32]).unwrap()
}

/// Seven entries; the one at [`INDEX`] is a release of [`MANIFEST`].
fn entries() -> Vec<Vec<u8>> {
    let mut entries = crate::entries(0..7);
    let release = format!(
        r#"{{"type":"release","version":1,"recorded":"2026-01-10T12:00:00Z","id":"2026-01-10-dhs-ice-0732b3bd","on":"2026-01-10","recipient":"dhs/ice","purpose":"immigration-enforcement/civil","dataset":"tmsis-2025-12","manifest":"sha256:{}"}}"#,
        hex(MANIFEST)
    );
    entries[INDEX] = release.into_bytes();
    entries
}

/// A receipt of the entry at [`INDEX`], which it carries.
fn receipt(keys: &LogKeys, entries: &[Vec<u8>]) -> String {
    let root = oracle::root(entries);
    let checkpoint = keys.sign(entries.len() as u64, root, TIME).unwrap();
    let proof = InclusionProof {
        extra: Some(entries[INDEX].clone()),
        index: INDEX as u64,
        hashes: oracle::path(INDEX, entries),
        checkpoint: checkpoint.into(),
    };
    proof.to_string()
}

fn checkpoint_of(receipt: &str) -> &str {
    receipt.split_once("\n\n").unwrap().1
}

fn with_changed_middle(line: &str) -> String {
    let mut chars: Vec<char> = line.chars().collect();
    // The last characters of Base64 may be padding, so the middle it is.
    let middle = chars.len() - 1 - chars.len() / 2;
    let middle = if line.len() < 10 {
        chars.len() - 1
    } else {
        middle
    };
    chars[middle] = match chars[middle] {
        '1' => '2',
        _ if line.len() < 10 => '1',
        'A' => 'B',
        _ => 'A',
    };
    chars.into_iter().collect()
}

/// What the page showed.
struct Shown {
    result: String,
    /// The document without its script.
    dom: String,
    scripts: usize,
    log: String,
}

/// Opens the page with a receipt and keys, and compares its verdict with this crate's.
fn agreed(receipt: &str, trust: &str) -> Shown {
    let inputs = [("receipt", receipt.as_bytes()), ("keys", trust.as_bytes())];
    let shown = open(&page(), &inputs);
    let accepted = receipt.parse::<InclusionProof>().is_ok_and(|proof| {
        let entry = proof.extra.unwrap_or_default();
        match trust.parse::<Policy>() {
            Ok(policy) => verify_proof(receipt, &entry, &policy).is_ok(),
            Err(_) => verify_proof(receipt, &entry, &trust.parse::<Keyring>().unwrap()).is_ok(),
        }
    });
    assert_eq!(
        shown.result == "verified",
        accepted,
        "the page: {}",
        shown.result
    );
    shown
}

/// Opens a page as a link does, without a network, and reads back what it shows.
fn open(page: &Path, inputs: &[(&str, &[u8])]) -> Shown {
    let fragment: Vec<String> = inputs
        .iter()
        .map(|(name, bytes)| format!("{name}={}", BASE64_URL_SAFE_NO_PAD.encode(bytes)))
        .collect();
    let address = format!("file://{}#{}", page.display(), fragment.join("&"));
    // The browser may stop before its worker threads have answered: then it is asked again.
    let runs = (0..5).map(|_| run(&address));
    let mut finished = runs.filter(|shown| shown.result != "checking");
    finished.next().expect("the page does not get to a result")
}

fn run(address: &str) -> Shown {
    let profile = tempfile::tempdir().unwrap();
    let output = Command::new(browser())
        .args([
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--no-first-run",
            "--disable-background-networking",
            "--host-resolver-rules=MAP * ~NOTFOUND",
            "--virtual-time-budget=20000",
            "--timeout=60000",
            "--enable-logging=stderr",
            "--dump-dom",
        ])
        .arg(format!("--user-data-dir={}", profile.path().display()))
        .arg(address)
        .output()
        .unwrap();
    let dom = String::from_utf8(output.stdout).unwrap();
    let after = dom
        .split_once(r#"id="result" data-result=""#)
        .map(|(_, after)| after);
    let result = after
        .and_then(|after| after.split('"').next())
        .unwrap_or("no page");
    Shown {
        result: result.to_owned(),
        scripts: dom.matches("<script").count(),
        log: String::from_utf8_lossy(&output.stderr).into_owned(),
        dom: dom.split("<script").next().unwrap_or_default().to_owned(),
    }
}

/// The browser's program: `CHROMIUM`, or the first of its usual names on the path.
fn browser() -> PathBuf {
    if let Some(chosen) = std::env::var_os("CHROMIUM") {
        return chosen.into();
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    let names = ["chromium", "chromium-browser", "google-chrome", "chrome"];
    let mut programs =
        std::env::split_paths(&path).flat_map(|dir| names.map(|name| dir.join(name)));
    programs
        .find(|program| program.is_file())
        .expect("no Chromium: `make prerequisites` installs it")
}

fn page() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .nth(2)
        .unwrap();
    root.join("verifier/verify.html")
}

fn hex(bytes: &[u8]) -> String {
    Sha256::digest(bytes)
        .iter()
        .fold(String::new(), |mut hex, byte| {
            write!(hex, "{byte:02x}").unwrap();
            hex
        })
}
