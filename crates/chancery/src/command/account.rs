//! What left, to whom, under what: for a court, an agency, the custodian and the public.

pub(crate) mod letter;

pub(crate) mod order;

mod period;

pub(crate) mod person;

pub(crate) mod publish;

mod recipient;

mod register;

mod release;

mod shown;

use std::process::ExitCode;

use chancery_account::{About, Copy, Counts, Facts, Law, Showing, Sources};
use chancery_law::LawPack;
use chancery_release::Workspace;

use super::{Context, Result, json};
use crate::args::{Account as Args, AccountCommand, AccountForm, Format};
use crate::text;

/// Exit code: something that the answer needs is not there.
pub(crate) const INCOMPLETE: u8 = 4;

pub(crate) fn run(context: &Context, args: &Args) -> Result {
    let workspace = context.workspace()?;
    let pack = workspace.law()?;
    let open = |copy| Books::open(&workspace, &pack, copy);
    match &args.command {
        AccountCommand::Person(args) => person::run(context, args),
        AccountCommand::Suspend(args) => person::suspend(context, args),
        AccountCommand::Rebuild => register::rebuild(context, &workspace),
        AccountCommand::RotateKey => register::rotate(context, &workspace),
        AccountCommand::Recipient(args) => recipient::run(context, &open(copy(&args.form))?, args),
        AccountCommand::Order(args) => order::run(context, &open(copy(&args.form))?, args),
        AccountCommand::Release(args) => release::run(context, &open(copy(&args.form))?, args),
        AccountCommand::Period(args) => period::run(context, &open(copy(&args.form))?, args),
        AccountCommand::Publish(args) => {
            publish::run(context, &workspace, &open(Copy::Others)?, args)
        }
    }
}

fn copy(form: &AccountForm) -> Copy {
    if form.for_others {
        Copy::Others
    } else {
        Copy::Custodian
    }
}

/// All that accounts are made from.
pub(crate) struct Books<'a> {
    copy: Copy,
    facts: Facts,
    counts: Counts,
    showing: Showing,
    law: Law<'a>,
}

impl<'a> Books<'a> {
    pub(crate) fn open(workspace: &Workspace, pack: &'a LawPack, copy: Copy) -> Result<Self> {
        let facts = Facts::read(workspace)?;
        let counts = Counts::read(&workspace.register()?, &facts);
        let showing = match copy {
            Copy::Custodian => Showing::default(),
            Copy::Others => Showing::of(&facts, &counts),
        };
        Ok(Self {
            copy,
            showing,
            facts,
            counts,
            law: Law::new(pack),
        })
    }

    pub(crate) fn sources(&self) -> Sources<'_> {
        Sources {
            facts: &self.facts,
            counts: &self.counts,
            showing: &self.showing,
            law: &self.law,
        }
    }

    pub(crate) fn account(&self, about: &About) -> Result<chancery_account::Account> {
        let account = chancery_account::Account::of(about, self.copy, self.sources());
        Ok(account?)
    }
}

/// Prints an account in the form asked for.
fn print(
    context: &Context,
    account: &chancery_account::Account,
    form: &AccountForm,
    title: &str,
) -> Result {
    text::print(&match (form.csv, context.format) {
        (true, _) => shown::csv(account),
        (false, Format::Json) => text::ascii_json(&json(account)?),
        (false, Format::Text) => text::safe(&shown::text(account, title)),
    });
    Ok(if account.complete {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(INCOMPLETE)
    })
}
