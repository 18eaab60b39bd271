//! `account release`: what one release gave.

use chancery_account::About;
use chancery_law::nearest;

use super::{Books, Context, Result, print};
use crate::args::AccountRelease;
use crate::failure::Failure;

pub(super) fn run(context: &Context, books: &Books<'_>, args: &AccountRelease) -> Result {
    let about = About::Release {
        id: args.id.clone(),
    };
    let account = books.account(&about)?;
    if account.is_empty() {
        let failure = Failure::new(format!("the ledger holds no release `{}`", args.id));
        let known = books.facts.releases.iter();
        let hint = nearest(&args.id, known.map(chancery_account::Release::id)).map_or_else(
            || {
                "`chancery account period` and `chancery ledger show` name releases and refusals"
                    .to_owned()
            },
            |known| format!("did you mean `{known}`?"),
        );
        return Err(failure.hint(hint).invalid());
    }
    let title = format!("Release {}", args.id);
    print(context, &account, &args.form, &title)
}
