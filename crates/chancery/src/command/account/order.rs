//! `account order`: what left before and after an order.

use chancery_account::About;
use chancery_law::did_you_mean;

use super::{Books, Context, Result, print};
use crate::args::AccountOrder;
use crate::failure::Failure;

pub(super) fn run(context: &Context, books: &Books<'_>, args: &AccountOrder) -> Result {
    let Some(instrument) = books.law.pack().instrument(&args.instrument) else {
        let known = books.law.pack().instruments().iter();
        let hint = did_you_mean(&args.instrument, known.map(|one| one.id.as_str()));
        let failure = Failure::new(format!("unknown instrument `{}`", args.instrument));
        return Err(failure.hint(hint).invalid());
    };
    let about = About::Order {
        instrument: instrument.id.clone(),
    };
    let account = books.account(&about)?;
    let title = format!("What left before and after: {}", instrument.title);
    print(context, &account, &args.form, &title)
}
