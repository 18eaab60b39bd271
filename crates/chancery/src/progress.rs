use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use crate::text;

/// A bar on stderr for long work, and Ctrl-C: the work then stops by itself and leaves nothing
/// behind but a logged abort.
pub(crate) struct Progress {
    bar: ProgressBar,
    cancelled: Arc<AtomicBool>,
}

impl Progress {
    pub(crate) fn new() -> Self {
        let cancelled = Arc::new(AtomicBool::new(false));
        let flag = Arc::clone(&cancelled);
        // Without a handler Ctrl-C kills the process, and the next start undoes what it left.
        drop(ctrlc::set_handler(move || {
            flag.store(true, Ordering::Relaxed);
        }));
        Self {
            bar: ProgressBar::hidden(),
            cancelled,
        }
    }

    pub(crate) fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

impl chancery_dataset::Progress for Progress {
    fn begin(&self, what: &str, total: u64) {
        let style = ProgressStyle::with_template("{msg} {wide_bar} {percent:>3}% {eta:>4}");
        if let Ok(style) = style {
            self.bar.set_style(style);
        }
        self.bar
            .set_draw_target(indicatif::ProgressDrawTarget::stderr());
        self.bar.enable_steady_tick(Duration::from_millis(200));
        self.bar.reset();
        self.bar.set_length(total);
        self.bar.set_message(what.to_owned());
    }

    fn advance(&self, bytes: u64) {
        self.bar.inc(bytes);
    }

    fn note(&self, what: &str) {
        self.bar.suspend(|| text::note(what));
    }

    fn cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Relaxed)
    }
}
