use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

/// Where the time comes from: one place, so that tests and replays choose it.
pub trait Clock: Sync {
    /// The instant.
    fn now(&self) -> Timestamp;
    /// The day, in UTC: a time zone is a setting of the machine's, and the law of a day is not to be
    /// chosen by one.
    fn today(&self) -> Date;
    /// The instant in whole seconds since 1970 UTC, for whoever outlives this reference.
    fn seconds(&self) -> Box<dyn Fn() -> u64 + Send>;
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
        Timestamp::now().to_zoned(TimeZone::UTC).date()
    }

    fn seconds(&self) -> Box<dyn Fn() -> u64 + Send> {
        Box::new(|| since_1970(System.now()))
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
        self.0.to_zoned(TimeZone::UTC).date()
    }

    fn seconds(&self) -> Box<dyn Fn() -> u64 + Send> {
        let seconds = since_1970(self.0);
        Box::new(move || seconds)
    }
}

fn since_1970(instant: Timestamp) -> u64 {
    u64::try_from(instant.as_second()).unwrap_or_default()
}
