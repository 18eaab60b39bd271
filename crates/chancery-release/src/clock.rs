use jiff::civil::Date;
use jiff::{Timestamp, Zoned};

/// Where the time comes from: one place, so that tests and replays choose it.
pub trait Clock: Sync {
    /// The instant.
    fn now(&self) -> Timestamp;
    /// The day where the custodian is.
    fn today(&self) -> Date;
}

/// The machine's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct System;

impl Clock for System {
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place that reads the machine's clock"
    )]
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "the one place that reads the machine's clock"
    )]
    fn today(&self) -> Date {
        Zoned::now().date()
    }
}

/// A clock that stands still.
#[derive(Clone, Copy, Debug)]
pub struct Fixed(pub Timestamp);

impl Clock for Fixed {
    fn now(&self) -> Timestamp {
        self.0
    }

    fn today(&self) -> Date {
        self.0.to_zoned(jiff::tz::TimeZone::UTC).date()
    }
}
