//! `account recipient`: what an agency received.

use chancery_account::About;
use chancery_law::did_you_mean;

use super::{Books, Context, Result, print};
use crate::args::AccountRecipient;
use crate::failure::Failure;

pub(super) fn run(context: &Context, books: &Books<'_>, args: &AccountRecipient) -> Result {
    let about = About::Recipient {
        agency: args.agency.clone(),
    };
    let account = books.account(&about)?;
    let words = books.law.pack().vocabulary();
    // Who received something is accounted for, whether the law pack still knows it or not.
    if account.is_empty() && words.agency(&args.agency).is_none() {
        let failure = Failure::new(format!("unknown agency `{}`", args.agency));
        let hint = did_you_mean(&args.agency, words.agency_paths());
        return Err(failure.hint(hint).invalid());
    }
    let title = format!("What {} received", words.agency_name(&args.agency));
    print(context, &account, &args.form, &title)
}
