//! The form of a checkpoint's note.

use chancery_ledger::UnverifiedCheckpoint;

const PETER_SIGNATURE: &str =
    "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=";

#[test]
fn a_checkpoint_note_with_a_blank_or_bent_line_is_refused() {
    let body = "example.com/log\n1\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n";
    let note = |body: &str| format!("{body}\n— PeterNeumann {PETER_SIGNATURE}\n");
    UnverifiedCheckpoint::parse(note(body).as_bytes()).unwrap();
    let bent = [
        body.replace("\n1\n", "\n01\n"),
        body.replace("\n1\n", "\n-1\n"),
        body.replace("\n1\n", "\n72057594037927936\n"),
        body.replace("example.com/log\n", "\n"),
        body.replace("I=\n", "J=\n"),
        body.replace("I=\n", "=\n"),
        body.replace('\n', "\r\n"),
        format!("{body}\u{1}\n"),
    ];
    for body in bent {
        assert!(
            UnverifiedCheckpoint::parse(note(&body).as_bytes()).is_err(),
            "{body:?}"
        );
    }
    for wrong in [
        body.to_owned(),
        format!("{body}\n"),
        note(body).trim_end().to_owned(),
    ] {
        assert!(
            UnverifiedCheckpoint::parse(wrong.as_bytes()).is_err(),
            "{wrong:?}"
        );
    }
}
