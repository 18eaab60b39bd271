//! `account period`: what left from one day to another.

use chancery_account::About;

use super::{Books, Context, Result, print};
use crate::args::AccountPeriod;
use crate::failure::Failure;
use crate::text;

pub(super) fn run(context: &Context, books: &Books<'_>, args: &AccountPeriod) -> Result {
    let (from, to) = (args.from, args.to);
    if to < from {
        let failure = Failure::new(format!("the last day, {to}, is before the first, {from}"));
        return Err(failure.hint("the first day stands first").invalid());
    }
    let account = books.account(&About::Period { from, to })?;
    let title = format!("What left from {} to {}", text::day(from), text::day(to));
    print(context, &account, &args.form, &title)
}
