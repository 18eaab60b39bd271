//! What the ledger parses: what it signs and shows, what it keeps, what others send.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::sync::{Mutex, OnceLock};

use base64::prelude::{BASE64_STANDARD, Engine as _};
use chancery_ledger::monitor::{Expected, Monitor};
use chancery_ledger::witness::{AddCheckpoint, Answer, Witness};
use chancery_ledger::{
    Algorithm, Checkpoint, Error, InclusionProof, Keyring, Ledger, LedgerReader, Locked, LogKeys,
    Parts, Policy, SigningKey, Storage, UnverifiedCheckpoint, VerifierKey, cosign, fsck, keyfile,
    parse_bundle, repair, verify_cosignature, verify_proof, write_bundle,
};

use super::{Target, equal, text};
use crate::memory::{Memory, MemoryLock};

/// The ledger's targets.
pub(super) const LEDGER: [Target; 13] = [
    Target {
        name: "checkpoint",
        rounds: 4_000,
        sound: || notes().to_vec(),
        words: NOTE_WORDS,
        check: checkpoint,
    },
    Target {
        name: "proof",
        rounds: 4_000,
        sound: || proofs().to_vec(),
        words: &[
            b"\n\n",
            b"index 18446744073709551615\n",
            b"index 5\n",
            b"extra \n",
            b"c2sp.org/tlog-proof@v1\n",
            b"=",
        ],
        check: proof,
    },
    Target {
        name: "bundle",
        rounds: 20_000,
        sound: || vec![b"\0\x03one\0\0\0\x05three".to_vec(), Vec::new()],
        words: &[b"\0\0", b"\xff\xff", b"\0\x01"],
        check: bundle,
    },
    Target {
        name: "vkey",
        rounds: 20_000,
        sound: || lines(&all_keys(), |key| key.verifier().to_string()),
        words: &[b"+", b"=", b"A", b"AAAAAAAA"],
        check: vkey,
    },
    Target {
        name: "keyring",
        rounds: 5_000,
        sound: keyrings,
        words: &[b"+", b"=", b"\n", b"\n\n", b"agency.example/ledger+"],
        check: keyring,
    },
    Target {
        name: "policy",
        rounds: 3_000,
        sound: || vec![policy_text().into_bytes(), b"quorum none\n".to_vec()],
        words: &[
            b"quorum ",
            b"none",
            b"group G any W1 W2\n",
            b"group H 2 ",
            b"witness W3 ",
            b"all",
            b"any",
            b" ",
            b"\t",
            b"\n",
            b"#",
            b"W1",
            b"W2",
        ],
        check: policy,
    },
    Target {
        name: "cosignature",
        rounds: 2_000,
        sound: cosignatures,
        words: NOTE_WORDS,
        check: cosignature,
    },
    Target {
        name: "witness",
        rounds: 1_000,
        sound: requests,
        words: &[
            b"old ",
            b"old 0\n",
            b"old 7\n",
            b"old 600\n",
            b"\n\n",
            b"\xe2\x80\x94 ",
            b"=",
        ],
        check: witness,
    },
    Target {
        name: "keyfile",
        rounds: 1_000,
        sound: || key_files().to_vec(),
        words: &[
            b"PRIVATE+KEY+",
            b"+",
            b"\n",
            b"-----BEGIN AGE ENCRYPTED FILE-----\n",
            b"=",
        ],
        check: key_file,
    },
    Target {
        name: "files",
        rounds: 300,
        sound: files,
        words: FILE_WORDS,
        check: file,
    },
    Target {
        name: "repair",
        rounds: 200,
        sound: files,
        words: FILE_WORDS,
        check: repaired,
    },
    Target {
        name: "monitor",
        rounds: 20,
        sound: files,
        words: FILE_WORDS,
        check: monitored,
    },
    Target {
        name: "lock",
        rounds: 300,
        sound: locks,
        words: &[
            b"chancery staged append v1\n",
            b"7\n",
            b"600\n",
            b"18446744073709551615\n",
            b"\n\n",
            b"\0\0",
            b"\xff\xff",
            b"c",
            b"s",
        ],
        check: lock,
    },
];

const NOTE_WORDS: &[&[u8]] = &[
    b"\n\n",
    b"\xe2\x80\x94 ",
    b"\xe2\x80\x94 agency.example/ledger ",
    b"18446744073709551616\n",
    b"7\n",
    b"=",
    b"+",
];

const FILE_WORDS: &[&[u8]] = &[
    b"tile/",
    b"tile/0/",
    b"tile/1/",
    b"entries/",
    b"x000/",
    b"000",
    b"001",
    b".p/",
    b".p/0",
    b"/7",
    b"checkpoint\n",
    b"vkey\n",
    b".tmp",
    b"255",
    b"\0\0",
];

const LOG: &str = "agency.example/ledger";
const NOW: u64 = 1_800_000_000;

/// The sizes at which the log published: partial tiles, full ones, and two levels.
const SIZES: [u64; 3] = [7, 260, 600];

fn sound<T>(made: Result<T, Error>) -> T {
    #[expect(
        clippy::expect_used,
        reason = "what targets start from is sound, as every run shows"
    )]
    made.expect("a sound input")
}

fn io<T>(made: std::io::Result<T>) -> Result<T, String> {
    made.map_err(|reason| reason.to_string())
}

/// Refusals are in words, with no secret in them.
fn refused(error: &dyn Display) -> Result<bool, String> {
    let said = error.to_string();
    if said.is_empty() {
        return Err("refused without a word".to_owned());
    }
    Ok(false)
}

fn keys() -> &'static LogKeys {
    static KEYS: OnceLock<LogKeys> = OnceLock::new();
    KEYS.get_or_init(|| sound(LogKeys::generate(LOG, &[7; 32])))
}

fn trusted() -> &'static Keyring {
    static KEYRING: OnceLock<Keyring> = OnceLock::new();
    KEYRING.get_or_init(|| keys().keyring())
}

fn witnesses() -> &'static [SigningKey; 2] {
    static KEYS: OnceLock<[SigningKey; 2]> = OnceLock::new();
    let key = |name, algorithm| sound(SigningKey::generate(name, algorithm, [8; 32]));
    KEYS.get_or_init(|| {
        [
            key("witness.example/w1", Algorithm::MlDsa44),
            key("witness.example/w2", Algorithm::Ed25519Cosignature),
        ]
    })
}

/// One of each algorithm.
fn all_keys() -> Vec<SigningKey> {
    [keys().keys(), witnesses()].concat()
}

fn lines(keys: &[SigningKey], line: impl Fn(&SigningKey) -> String) -> Vec<Vec<u8>> {
    keys.iter().map(|key| line(key).into_bytes()).collect()
}

/// A log that published at each of [`SIZES`].
struct Log {
    entries: Vec<Vec<u8>>,
    files: BTreeMap<String, Vec<u8>>,
    checkpoints: Vec<Checkpoint>,
    /// What the lock held then.
    locked: Vec<Locked>,
    /// The files as they were before the last append.
    before: BTreeMap<String, Vec<u8>>,
}

fn log() -> &'static Log {
    static MADE: OnceLock<Log> = OnceLock::new();
    MADE.get_or_init(|| sound(make_log()))
}

fn make_log() -> Result<Log, Error> {
    let (memory, lock) = (Memory::default(), MemoryLock::default());
    let mut ledger = Ledger::create(parts(&memory, &lock))?;
    let mut made = Log {
        entries: (0..600)
            .map(|index| format!("entry {index}").into())
            .collect(),
        files: BTreeMap::new(),
        checkpoints: Vec::new(),
        locked: Vec::new(),
        before: BTreeMap::new(),
    };
    for size in SIZES {
        made.before = memory.files();
        let (from, to) = (place(ledger.size()), place(size));
        let entries = made.entries.get(from..to).unwrap_or_default();
        let entries: Vec<&[u8]> = entries.iter().map(Vec::as_slice).collect();
        ledger.append_batch(&entries)?;
        made.checkpoints.push(ledger.checkpoint().clone());
        made.locked.push(lock.held());
    }
    made.files = memory.files();
    Ok(made)
}

fn place(size: u64) -> usize {
    usize::try_from(size).unwrap_or(usize::MAX)
}

fn parts(memory: &Memory, lock: &MemoryLock) -> Parts {
    Parts {
        storage: Box::new(memory.folder()),
        lock: Box::new(lock.clone()),
        keys: keys().clone(),
        known: keys().keyring(),
        cosigner: None,
        clock: Box::new(|| NOW),
    }
}

/// The checkpoint of each of [`SIZES`].
fn tree(number: usize) -> &'static Checkpoint {
    #[expect(clippy::expect_used, reason = "there are as many as sizes")]
    log().checkpoints.get(number).expect("a published size")
}

/// Whether the log did sign this.
fn is_signed(size: u64, root: [u8; 32]) -> bool {
    let mut signed = log().checkpoints.iter();
    signed.any(|known| (known.size(), known.root()) == (size, root))
}

fn cosigned() -> &'static Checkpoint {
    static MADE: OnceLock<Checkpoint> = OnceLock::new();
    MADE.get_or_init(|| {
        let lines = witnesses()
            .iter()
            .map(|key| cosign(key, &tree(0).clone().into(), NOW))
            .collect::<Result<String, _>>();
        sound(lines.and_then(|lines| tree(0).with_cosignatures(&lines)))
    })
}

/// The log's own signatures, those of witnesses with them, and those of two generations.
fn notes() -> &'static [Vec<u8>] {
    static MADE: OnceLock<Vec<Vec<u8>>> = OnceLock::new();
    MADE.get_or_init(|| {
        let older = sound(LogKeys::generate(LOG, &[6; 32]));
        let both = sound(LogKeys::from_keys([keys().keys(), older.keys()].concat()));
        let overlap = sound(both.sign(tree(0).size(), tree(0).root(), NOW));
        [tree(0), cosigned(), &overlap]
            .map(|note| note.as_str().as_bytes().to_vec())
            .to_vec()
    })
}

fn checkpoint(input: &[u8]) -> Result<bool, String> {
    let parsed = match UnverifiedCheckpoint::parse(input) {
        Ok(parsed) => parsed,
        Err(error) => return refused(&error),
    };
    if let Ok(verified) = trusted().verify(parsed.clone()) {
        if verified.body() != tree(0).body() {
            return Err("another body under the same signatures".to_owned());
        }
        if verified.timestamp() != Some(NOW) {
            return Err("another time under the same signatures".to_owned());
        }
    }
    // The note is kept as it came, so it is put together anew from what was read of it.
    let (origin, size) = (parsed.origin(), parsed.size());
    let head = format!(
        "{origin}\n{size}\n{}\n",
        BASE64_STANDARD.encode(parsed.root())
    );
    if !parsed.body().starts_with(&head) {
        return Err("the tree can be written in another way".to_owned());
    }
    let signatures = parsed
        .as_str()
        .strip_prefix(parsed.body())
        .unwrap_or_default();
    for line in signatures.lines().skip(1) {
        let base64 = line.rsplit(' ').next().unwrap_or_default();
        let bytes = BASE64_STANDARD.decode(base64).map_err(|e| e.to_string())?;
        equal(
            &BASE64_STANDARD.encode(bytes).as_str(),
            &base64,
            "the base64 of a signature",
        )?;
    }
    equal(
        &parsed.to_string().as_bytes(),
        &input,
        "the printed checkpoint",
    )
}

/// Of the entry at 5, alone and with extra data, and of one in a tree of two levels.
fn proofs() -> &'static [Vec<u8>] {
    static MADE: OnceLock<Vec<Vec<u8>>> = OnceLock::new();
    MADE.get_or_init(|| {
        let memory = Memory::with(log().files.clone());
        let reader = sound(LedgerReader::open_with(
            Box::new(memory.folder()),
            trusted(),
        ));
        let mut proof = sound(reader.prove(5));
        let plain = proof.to_string().into_bytes();
        proof.extra = Some(b"extra".to_vec());
        let last = sound(reader.prove(599)).to_string().into_bytes();
        vec![plain, proof.to_string().into_bytes(), last]
    })
}

fn proof(input: &[u8]) -> Result<bool, String> {
    let Some(input) = text(input) else {
        return Ok(false);
    };
    if verify_proof(input, b"entry", trusted()).is_ok() {
        return Err("a proof of what was never logged".to_owned());
    }
    if let Ok(shown) = verify_proof(input, b"entry 5", trusted())
        && (shown.index != 5 || !is_signed(shown.tree_size, shown.root))
    {
        return Err("a proof of another place".to_owned());
    }
    match input.parse::<InclusionProof>() {
        Ok(proof) => equal(&proof.to_string().as_str(), &input, "the printed proof"),
        Err(error) => refused(&error),
    }
}

fn bundle(input: &[u8]) -> Result<bool, String> {
    match parse_bundle(input) {
        Ok(entries) => {
            let printed = write_bundle(&entries).map_err(|error| error.to_string())?;
            equal(&printed.as_slice(), &input, "the written bundle")
        }
        Err(error) => refused(&error),
    }
}

fn vkey(input: &[u8]) -> Result<bool, String> {
    let Some(input) = text(input) else {
        return Ok(false);
    };
    match input.parse::<VerifierKey>() {
        Ok(parsed) => equal(&parsed.to_string().as_str(), &input, "the printed key"),
        Err(error) => refused(&error),
    }
}

/// One generation, two, and a single key.
fn keyrings() -> Vec<Vec<u8>> {
    let older = sound(LogKeys::generate(LOG, &[6; 32])).keyring();
    let both = sound(trusted().with_older(&older));
    let single = Keyring::from(sound(
        trusted().keys().next().cloned().ok_or(Error::Poisoned),
    ));
    [trusted(), &both, &single]
        .map(|keyring| keyring.to_string().into_bytes())
        .to_vec()
}

fn keyring(input: &[u8]) -> Result<bool, String> {
    let Some(input) = text(input) else {
        return Ok(false);
    };
    match input.parse::<Keyring>() {
        Ok(parsed) => {
            if parsed.keys().any(|key| key.name() != parsed.name()) {
                return Err("a key of another name".to_owned());
            }
            let printed = parsed.to_string();
            let printed = printed.strip_suffix('\n').unwrap_or(&printed);
            let input = input.strip_suffix('\n').unwrap_or(input);
            equal(&printed, &input, "the printed keyring")
        }
        Err(error) => refused(&error),
    }
}

fn policy_text() -> String {
    let mut text = "# whom to trust\n".to_owned();
    for key in trusted().keys() {
        text.push_str(&format!("log {key} https://log.example/\n"));
    }
    for (number, key) in (1..).zip(witnesses()) {
        text.push_str(&format!("witness W{number} {}\n", key.verifier()));
    }
    text.push_str("group G 2 W1 W2\nquorum G\n");
    text
}

fn policy(input: &[u8]) -> Result<bool, String> {
    let policy = match Policy::parse(input) {
        Ok(policy) => policy,
        Err(Error::Policy { line, problem }) => {
            let lines = input.split(|byte| *byte == b'\n').count();
            if line == 0 || line > lines || problem.is_empty() {
                return Err(format!("line {line} of {lines}: {problem}"));
            }
            return Ok(false);
        }
        Err(other) => return Err(other.to_string()),
    };
    let (alone, cosigned) = (tree(0).clone().into(), cosigned().clone().into());
    let is_listed = policy.logs().iter().any(|log| log.vkey.name() == LOG);
    if policy.asks_for_witnesses() && policy.check(&alone).is_ok() {
        return Err("nobody witnessed, and it passed".to_owned());
    }
    if let Ok(checked) = policy.check(&cosigned)
        && (!is_listed || checked.body() != tree(0).body())
    {
        return Err("a log that is not listed passed".to_owned());
    }
    // A comment says nothing.
    let more = Policy::parse(&[input, b"# more\n"].concat()).map_err(|error| error.to_string())?;
    equal(&more.logs(), &policy.logs(), "a log")?;
    equal(&more.witnesses(), &policy.witnesses(), "a witness")
}

fn cosignatures() -> Vec<Vec<u8>> {
    let line = |key: &SigningKey| sound(cosign(key, &tree(0).clone().into(), NOW));
    let mut sound = lines(witnesses(), line);
    sound.push(sound.concat());
    sound
}

fn cosignature(input: &[u8]) -> Result<bool, String> {
    let Some(input) = text(input) else {
        return Ok(false);
    };
    for key in witnesses() {
        let Ok(time) = verify_cosignature(&key.verifier(), &tree(0).clone().into(), input) else {
            continue;
        };
        let line = sound(cosign(key, &tree(0).clone().into(), NOW));
        equal(&time, &NOW, "the time")?;
        equal(
            &input.trim_end_matches('\n'),
            &line.trim_end(),
            "a line that verifies",
        )?;
    }
    let together = match tree(0).with_cosignatures(input) {
        Ok(together) => together,
        Err(error) => return refused(&error),
    };
    let parsed = UnverifiedCheckpoint::parse(together.as_str().as_bytes());
    let verified = parsed.and_then(|parsed| trusted().verify(parsed));
    let verified = verified.map_err(|error| error.to_string())?;
    equal(&verified.body(), &tree(0).body(), "the body")?;
    equal(&verified, &together, "the checkpoint with its lines")
}

/// First, again, the next with its proof, and one that forgets what was before.
fn requests() -> Vec<Vec<u8>> {
    let memory = Memory::with(log().files.clone());
    let reader = sound(LedgerReader::open_with(
        Box::new(memory.folder()),
        trusted(),
    ));
    let from = |old_size: u64, number: usize, proof| {
        let checkpoint = tree(number).clone().into();
        let request = AddCheckpoint {
            old_size,
            proof,
            checkpoint,
        };
        request.to_bytes()
    };
    vec![
        from(0, 0, Vec::new()),
        from(7, 0, Vec::new()),
        from(7, 2, sound(reader.prove_consistency(7))),
        from(600, 2, Vec::new()),
        from(0, 1, Vec::new()),
    ]
}

fn witness(input: &[u8]) -> Result<bool, String> {
    static OPEN: OnceLock<Option<Witness>> = OnceLock::new();
    let open = || {
        let dir = tempfile::tempdir().ok()?.keep();
        Witness::create(&dir).ok()?;
        let logs = trusted().keys().cloned().collect();
        Witness::open(&dir, witnesses().to_vec(), logs, Box::new(|| NOW)).ok()
    };
    let witness = OPEN.get_or_init(open).as_ref().ok_or("no witness")?;
    let answer = witness.add_checkpoint(input);
    if ![200, 400, 403, 404, 409, 422].contains(&answer.status()) {
        return Err(format!("it answered {}", answer.status()));
    }
    let request = match AddCheckpoint::parse(input) {
        Ok(request) => request,
        Err(_) if answer.status() == 200 => return Err("it cosigned no request".to_owned()),
        Err(error) => return refused(&error),
    };
    if let Answer::Cosigned(lines) = &answer {
        let checkpoint = &request.checkpoint;
        if !is_signed(checkpoint.size(), checkpoint.root()) {
            return Err("it cosigned what the log did not sign".to_owned());
        }
        for (line, key) in lines.split_inclusive('\n').zip(witnesses()) {
            verify_cosignature(&key.verifier(), checkpoint, line).map_err(|e| e.to_string())?;
        }
    }
    equal(
        &request.to_bytes().as_slice(),
        &input,
        "the written request",
    )
}

/// A folder for files that have to be on disk.
fn scratch() -> Result<&'static std::path::Path, String> {
    static DIR: OnceLock<Option<tempfile::TempDir>> = OnceLock::new();
    let dir = DIR.get_or_init(|| tempfile::tempdir().ok()).as_ref();
    dir.map(tempfile::TempDir::path)
        .ok_or_else(|| "no temporary folder".to_owned())
}

/// Plain, and encrypted.
fn key_files() -> &'static [Vec<u8>] {
    static MADE: OnceLock<Vec<Vec<u8>>> = OnceLock::new();
    MADE.get_or_init(|| {
        let passphrase = sound(keyfile::Passphrase::new("correct horse"));
        [None, Some(&passphrase)]
            .map(|passphrase| {
                let file = scratch().map(|dir| dir.join("sound")).unwrap_or_default();
                sound(keyfile::write_new(&file, &all_keys(), passphrase));
                let content = std::fs::read(&file).unwrap_or_default();
                let _ = std::fs::remove_file(&file);
                content
            })
            .to_vec()
    })
}

fn key_file(input: &[u8]) -> Result<bool, String> {
    use std::os::unix::fs::PermissionsExt as _;
    let (file, again) = (scratch()?.join("key"), scratch()?.join("again"));
    io(std::fs::write(&file, input))?;
    io(std::fs::set_permissions(
        &file,
        std::fs::Permissions::from_mode(0o600),
    ))?;
    let keys = match keyfile::read(&file, None) {
        Ok(keys) => keys,
        Err(error) => {
            let said = format!("{error} {error:?}");
            let secret = input.split(|byte| *byte == b'+' || *byte == b'\n');
            let mut secrets = secret.filter_map(text).filter(|part| part.len() > 30);
            if secrets.any(|part| said.contains(part)) {
                return Err(format!("the refusal shows a secret: {said}"));
            }
            return refused(&error);
        }
    };
    keyfile::write_new(&again, &keys, None).map_err(|error| error.to_string())?;
    let written = io(std::fs::read(&again))?;
    io(std::fs::remove_file(&again))?;
    equal(&written.as_slice(), &input, "the written key file")
}

/// Every file of the log, behind its path and a line end.
fn files() -> Vec<Vec<u8>> {
    let files = log().files.iter();
    files
        .map(|(path, content)| [path.as_bytes(), b"\n", content].concat())
        .collect()
}

/// The log with one file put in.
fn tampered(input: &[u8]) -> Option<(&str, &[u8], Memory)> {
    let end = input.iter().position(|byte| *byte == b'\n')?;
    let (path, content) = input.split_at_checked(end)?;
    let (path, content) = (text(path)?, content.strip_prefix(b"\n")?);
    let mut files = log().files.clone();
    files.insert(path.to_owned(), content.to_vec());
    Some((path, content, Memory::with(files)))
}

/// Whether a file may stand there in a sound log.
fn may_stand(path: &str, content: &[u8]) -> bool {
    match log().files.get(path) {
        Some(known) if known == content => true,
        // Signatures by unknown keys and keys of older generations may come after the known ones.
        Some(_) => path == "checkpoint" || path == "vkey",
        // Of a smaller size, or the whole of what stands there in part.
        None => {
            let mut known = log().files.values();
            path.starts_with("tile/") && known.any(|known| known.starts_with(content))
        }
    }
}

/// What is read is what was logged.
fn read_all(storage: Box<dyn Storage>) -> Result<(), String> {
    let Ok(reader) = LedgerReader::open_with(storage, trusted()) else {
        return Ok(());
    };
    if !is_signed(reader.size(), reader.checkpoint().root()) {
        return Err("it was opened at a size that was never signed".to_owned());
    }
    let Ok(entries) = reader.entries(0..reader.size()) else {
        return Ok(());
    };
    for (index, entry) in entries.flatten() {
        if log().entries.get(place(index)) != Some(&entry) {
            return Err(format!("entry {index} was read as another"));
        }
    }
    Ok(())
}

fn file(input: &[u8]) -> Result<bool, String> {
    let Some((path, content, memory)) = tampered(input) else {
        return Ok(false);
    };
    read_all(Box::new(memory.folder()))?;
    // What the log says of itself may be wrong throughout; it is not to end in a panic.
    let _ = fsck(&memory.folder(), None, None);
    let lock = MemoryLock::with(log().locked.last().cloned().unwrap_or_default());
    let report = match fsck(&memory.folder(), Some(trusted()), Some(&lock)) {
        Ok(report) => report,
        Err(error) => return refused(&error),
    };
    if report.is_sound() && !may_stand(path, content) {
        return Err("fsck calls it sound".to_owned());
    }
    if report.is_sound() && report.entries_verified != 600 {
        return Err("it is sound without its entries".to_owned());
    }
    if log().files.get(path).map(Vec::as_slice) == Some(content) && !report.is_sound() {
        return Err(format!("fsck finds fault with it: {:?}", report.problems));
    }
    Ok(report.is_sound())
}

/// Repair writes no entry, and what it leaves as sound is the log that was.
fn repaired(input: &[u8]) -> Result<bool, String> {
    let Some((path, content, memory)) = tampered(input) else {
        return Ok(false);
    };
    let lock = MemoryLock::with(log().locked.last().cloned().unwrap_or_default());
    let before = memory.files();
    if let Err(error) = repair(&memory.folder(), &lock, trusted()) {
        refused(&error)?;
    }
    let after = memory.files();
    let is_entries = |path: &&String| path.starts_with("tile/entries/") && !path.contains("/.");
    for path in before.keys().chain(after.keys()).filter(is_entries) {
        equal(&before.get(path), &after.get(path), "a bundle after repair")?;
    }
    read_all(Box::new(memory.folder()))?;
    let report = fsck(&memory.folder(), Some(trusted()), Some(&lock));
    let is_sound = report.is_ok_and(|report| report.is_sound());
    let is_derived = path.starts_with("tile/") && !path.starts_with("tile/entries/");
    let is_current = [
        "tile/0/000",
        "tile/0/001",
        "tile/0/002.p/88",
        "tile/1/000.p/2",
    ];
    if !is_sound && is_derived && is_current.contains(&path) {
        return Err("a tile was not computed again".to_owned());
    }
    if is_sound && path.starts_with("tile/entries/") && !may_stand(path, content) {
        return Err("repair calls a damaged bundle sound".to_owned());
    }
    Ok(is_sound)
}

/// A monitor that raises no alarm has read what was logged.
fn monitored(input: &[u8]) -> Result<bool, String> {
    let Some((_, _, memory)) = tampered(input) else {
        return Ok(false);
    };
    let dir = io(tempfile::tempdir())?;
    let expected = Expected::Keys(trusted().clone());
    let mut monitor = Monitor::open(dir.path(), Box::new(memory.folder()), expected)
        .map_err(|error| error.to_string())?;
    let read = Mutex::new(Vec::new());
    let readable = |entry: &[u8]| {
        if let Ok(mut read) = read.lock() {
            read.push(entry.to_vec());
        }
        true
    };
    let report = monitor.follow_once(NOW, Some(60), &readable);
    let report = report.map_err(|error| error.to_string())?;
    let read = read.into_inner().unwrap_or_default();
    let begins = log().entries.starts_with(&read);
    if !begins || report.alarms.is_empty() && (report.read != 600 || read.len() != 600) {
        return Err(format!("it read {} entries: {report:?}", read.len()));
    }
    Ok(report.alarms.is_empty())
}

/// What the lock holds when an append was cut short after the decision: the staged append, and the
/// checkpoint.
fn locks() -> Vec<Vec<u8>> {
    let held = log().locked.last().cloned().unwrap_or_default();
    let staged = held.staged.unwrap_or_default();
    let checkpoint = held.checkpoint.unwrap_or_default();
    vec![
        [b"s".as_slice(), &staged].concat(),
        [b"c", checkpoint.as_bytes()].concat(),
        [b"c", tree(1).as_str().as_bytes()].concat(),
        [b"c", tree(0).as_str().as_bytes()].concat(),
    ]
}

/// Recovery publishes what was decided, or nothing.
fn lock(input: &[u8]) -> Result<bool, String> {
    let mut held = log().locked.last().cloned().unwrap_or_default();
    match input.split_first() {
        Some((b's', staged)) => held.staged = Some(staged.to_vec()),
        Some((b'c', note)) => held.checkpoint = Some(String::from_utf8_lossy(note).into_owned()),
        _ => return Ok(false),
    }
    let (memory, lock) = (Memory::with(log().before.clone()), MemoryLock::with(held));
    let _ = fsck(&memory.folder(), Some(trusted()), Some(&lock));
    let opened = Ledger::open(parts(&memory, &lock));
    let after = memory.files();
    for (path, content) in &log().before {
        if path != "checkpoint" {
            equal(
                &after.get(path),
                &Some(content),
                "a file that was published",
            )?;
        }
    }
    for path in after.keys().filter(|path| path.starts_with("tile/")) {
        equal(
            &after.get(path),
            &log().files.get(path),
            "a file of the append",
        )?;
    }
    match opened {
        Ok(ledger) => {
            let checkpoint = ledger.checkpoint();
            if !is_signed(checkpoint.size(), checkpoint.root()) || checkpoint.size() < SIZES[1] {
                return Err("it was opened at another tree".to_owned());
            }
            read_all(Box::new(memory.folder()))?;
            let published = after.get("checkpoint").map(Vec::as_slice);
            equal(
                &published,
                &Some(checkpoint.as_str().as_bytes()),
                "the published one",
            )
        }
        Err(error) => {
            equal(
                &after.get("checkpoint"),
                &log().before.get("checkpoint"),
                "what is published",
            )?;
            refused(&error)
        }
    }
}
