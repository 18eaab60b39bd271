//! `account order`: what left before and after an order.

use chancery_account::About;
use chancery_law::{Instrument, did_you_mean};

use super::{Books, Context, Result, print};
use crate::args::AccountOrder;
use crate::failure::Failure;

/// An instrument that the law pack has.
pub(crate) fn known<'a>(books: &Books<'a>, id: &str) -> Result<&'a Instrument> {
    let pack = books.law.pack();
    pack.instrument(id).ok_or_else(|| {
        let known = pack.instruments().iter();
        let hint = did_you_mean(id, known.map(|one| one.id.as_str()));
        let failure = Failure::new(format!("unknown instrument `{id}`"));
        failure.hint(hint).invalid()
    })
}

pub(super) fn run(context: &Context, books: &Books<'_>, args: &AccountOrder) -> Result {
    let instrument = known(books, &args.instrument)?;
    let about = About::Order {
        instrument: instrument.id.clone(),
    };
    let account = books.account(&about)?;
    let title = format!("What left before and after: {}", instrument.title);
    print(context, &account, &args.form, &title)
}
