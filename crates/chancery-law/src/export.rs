//! The law of a day as files that Cedar's own command line tool can decide with, and what it must
//! answer.

use std::collections::{BTreeMap, BTreeSet};

use cedar_policy::pst::{Policy as PstPolicy, StaticPolicy};
use cedar_policy::{
    Authorizer, Context, Decision, Entities, Entity, Policy, PolicyId, PolicySet, Request, Schema,
};
use chancery_model::{Attribute, Digest, Signature};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::expression::{record, uid};
use crate::ruling::{agency, elements, hierarchy, named_first};
use crate::schema::{FILE as SCHEMA, RECORD};
use crate::{Agency, Error, InForce, Query};

const POLICIES: &str = "policies.cedar";
const ENTITIES: &str = "entities.json";
const DECISIONS: &str = "decisions.csv";
const SUMS: &str = "SHA256SUMS";

/// A request whose decisions go with the law.
#[derive(Clone, Debug)]
pub struct Asked {
    /// The request.
    pub query: Query,
    /// The elements asked for.
    pub elements: Vec<String>,
}

/// Files by name, with what is worth knowing of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bundle {
    /// The files, by path within the bundle.
    pub files: BTreeMap<String, String>,
    /// How many policies there are.
    pub policies: usize,
    /// How many records there are.
    pub records: usize,
    /// How many decisions are listed.
    pub decisions: usize,
}

impl InForce<'_> {
    /// The law of the day with these records, and the decisions of a request about them.
    ///
    /// The files are read back and decided with the ordinary authorizer; what it answers must be
    /// what [`InForce::decide`] says.
    ///
    /// # Errors
    ///
    /// [`Error::Disagreement`] if it is not; [`Error::Schema`] when Cedar refuses what was written.
    pub fn export(
        &self,
        asked: Option<&Asked>,
        records: &BTreeSet<&Signature>,
    ) -> Result<Bundle, Error> {
        Export {
            law: self,
            asked,
            records: records.iter().copied().collect(),
        }
        .bundle()
    }
}

struct Export<'a> {
    law: &'a InForce<'a>,
    asked: Option<&'a Asked>,
    records: Vec<&'a Signature>,
}

/// One line of the table of decisions.
struct Line {
    element: String,
    record: usize,
    /// Cedar's answer.
    allowed: bool,
    /// Whether a release lets it go.
    released: bool,
    policies: BTreeSet<String>,
}

impl Export<'_> {
    fn bundle(&self) -> Result<Bundle, Error> {
        let mut files = BTreeMap::new();
        if let Some(asked) = self.asked {
            plain(asked).map_err(Error::Schema)?;
        }
        files.insert(SCHEMA.to_owned(), self.law.pack.schema_text.clone());
        let policies = self.policies().map_err(Error::Schema)?;
        files.insert(POLICIES.to_owned(), policies);
        files.insert(ENTITIES.to_owned(), self.entities().map_err(Error::Schema)?);
        files.insert("records.csv".to_owned(), self.records_csv());
        let mut decisions = 0;
        if let Some(asked) = self.asked {
            for element in &asked.elements {
                let name = format!("contexts/{element}.json");
                files.insert(name, lines(&context(asked, element)));
            }
            let table = self.decisions(asked, &files)?;
            decisions = table.len();
            files.insert(DECISIONS.to_owned(), decisions_csv(&table));
            files.insert("rerun.sh".to_owned(), RERUN.to_owned());
            files.insert("request.env".to_owned(), request_env(asked));
        }
        files.insert("README.md".to_owned(), self.readme());
        let sums = sums(&files);
        files.insert(SUMS.to_owned(), sums);
        Ok(Bundle {
            files,
            policies: self.law.puts.len(),
            records: self.records.len(),
            decisions,
        })
    }

    /// Every provision that counts, with all its annotations; `@id` is the provision's full id, by
    /// which Cedar's tool then calls it.
    fn policies(&self) -> Result<String, String> {
        let law = self.law;
        let mut text = format!(
            "// The law in force on {}: {}, version {}.\n",
            law.on(),
            law.pack.title,
            law.pack.version
        );
        let mut of = "";
        for put in &law.puts {
            if put.instrument != of {
                of = put.instrument;
                let title = law.pack.instrument(of).map_or("", |i| i.title.as_str());
                text.push_str(&format!("\n// {of}: {title}\n"));
            }
            let id: &str = put.policy.id().as_ref();
            text.push_str(&format!("{}\n", renamed(&put.policy, id)?));
        }
        let read: PolicySet = text.parse().map_err(|error| format!("{error}"))?;
        if read.policies().count() != law.puts.len() {
            return Err("a provision was lost on the way".to_owned());
        }
        Ok(text)
    }

    fn entities(&self) -> Result<String, String> {
        let law = self.law;
        let words = law.pack.vocabulary();
        let named: Vec<&Agency> = self
            .asked
            .iter()
            .flat_map(|asked| [&asked.query.recipient, &asked.query.custodian])
            .collect();
        let taken = named.iter().map(|agency| agency.path.as_str()).collect();
        let every = words.every_agency(&taken);
        let known = named
            .into_iter()
            .chain(every.iter().map(|(agency, _)| agency));
        let mut entities = law.entities.clone();
        let known = known.map(|one| agency(one, law.pack.origin_type()));
        entities.extend(named_first(known)?);
        for purpose in words.purposes() {
            entities.extend(hierarchy("Purpose", &purpose.path, &purpose.within)?);
        }
        entities.extend(elements(words)?);
        for (at, signature) in self.records.iter().enumerate() {
            let domain = law.pack.domain();
            entities.push(record(&name(at), signature, domain, &law.pack.types)?);
        }
        listed(&entities)
    }

    fn records_csv(&self) -> String {
        let domain = self.law.pack.domain();
        let attributes = domain.attributes().iter().map(|a| a.name.as_str());
        let mut text = format!("record,{}\n", attributes.collect::<Vec<_>>().join(","));
        for (at, signature) in self.records.iter().enumerate() {
            let values: Vec<String> = domain.describe(signature).into_values().collect();
            text.push_str(&format!("{},{}\n", name(at), values.join(",")));
        }
        text
    }

    /// Reads the files back and decides every element of every record.
    fn decisions(
        &self,
        asked: &Asked,
        files: &BTreeMap<String, String>,
    ) -> Result<Vec<Line>, Error> {
        let reader = Reader::new(files).map_err(Error::Schema)?;
        let ruling = self.law.decide(&asked.query)?;
        let mut table = Vec::new();
        for element in &asked.elements {
            let ruled = ruling.element(element).ok_or_else(|| {
                Error::Schema(format!("`{element}` is not an element of the pack"))
            })?;
            for (at, signature) in self.records.iter().enumerate() {
                let mut line = reader.decide(asked, element, at).map_err(Error::Schema)?;
                line.released = ruled.released_when.holds(signature);
                // Where two editions apply, a permit counts only if both permit: less leaves than
                // Cedar allows, and never more.
                let less = line.allowed && !self.law.edited.is_empty();
                if line.allowed != line.released && !less {
                    return Err(self.disagreement(&line, signature));
                }
                table.push(line);
            }
        }
        Ok(table)
    }

    fn disagreement(&self, line: &Line, signature: &Signature) -> Error {
        let attributes = self.law.pack.domain().describe(signature);
        let attributes = attributes
            .iter()
            .map(|(name, value)| format!("{name} is {value}"));
        let says = |released: bool| if released { "released" } else { "withheld" }.to_owned();
        Error::Disagreement {
            element: line.element.clone(),
            attributes: attributes.collect::<Vec<_>>().join(", "),
            predicate: says(line.released),
            authorizer: says(line.allowed),
        }
    }

    /// Rows for the pack and each overlay on it.
    fn layers(&self) -> String {
        let layers = self.law.pack.layers.iter().enumerate();
        let row = |(at, layer): (usize, &crate::PackLayer)| {
            let what = if at == 0 {
                "law pack"
            } else {
                "with the overlay"
            };
            format!(
                "| {what} | {} {}: {} |\n",
                layer.name, layer.version, layer.title
            )
        };
        layers.map(row).collect()
    }

    /// What a record says of a person, and what each value means, in the words of the schema.
    fn attributes(&self) -> String {
        /// More values than this are left to the schema.
        const MOST_NAMED: usize = 8;
        let pack = self.law.pack;
        let attributes = pack.domain().attributes().iter().zip(&pack.types);
        let row = |(attribute, type_name): (&Attribute, &String)| {
            let values = if attribute.values.len() > MOST_NAMED {
                format!("{} values: see `{SCHEMA}`", attribute.values.len())
            } else {
                let values = attribute.values.iter().map(|value| format!("`{value}`"));
                values.collect::<Vec<_>>().join(", ")
            };
            let meaning = comment(&pack.schema_text, type_name).unwrap_or_default();
            format!(
                "| `{}` | {values} | {} |\n",
                attribute.name,
                meaning.replace('|', "\\|")
            )
        };
        let rows: String = attributes.map(row).collect();
        format!("{ATTRIBUTES}{rows}\n")
    }

    fn readme(&self) -> String {
        let law = self.law;
        let used = law.law_used();
        let mut text = format!(
            "# The law in force on {}, for Cedar\n\n{}\n\n| | |\n|---|---|\n{}\
             | digest of the law pack | `{}` |\n| policies | {} |\n| records | {} |\n\n{DIGEST}\
             Instruments in force, each with the review of its encoding:\n\n{}\n\n",
            law.on(),
            INTRODUCTION,
            self.layers(),
            used.digest,
            law.puts.len(),
            self.records.len(),
            used.in_force
                .iter()
                .map(|id| {
                    let review = law.pack.instrument(id).map(|i| i.review.status.as_str());
                    format!(
                        "- `{id}`: {}",
                        review.unwrap_or("not in the pack as recorded")
                    )
                })
                .collect::<Vec<_>>()
                .join("\n"),
        );
        let idle = law.not_counting().iter();
        let idle: BTreeMap<&str, String> = idle
            .map(|idle| {
                let why = idle.why.says(&idle.instrument.short);
                (idle.provision.id.as_str(), why)
            })
            .collect();
        if !idle.is_empty() {
            let idle: String = idle
                .iter()
                .map(|(id, why)| format!("- `{id}`: {why}\n"))
                .collect();
            text.push_str(&format!(
                "These would let data leave but do not count, and are not among the policies:\n\n\
                 {idle}\n"
            ));
        }
        if !law.edited.is_empty() {
            let edited: String = law.edited.iter().map(|id| format!("- `{id}`\n")).collect();
            text.push_str(&format!("{EDITIONS}{edited}\n"));
        }
        text.push_str(&files(self.asked));
        text.push_str(&self.attributes());
        text.push_str(CHECK);
        match self.asked {
            Some(asked) => text.push_str(&rerun(asked)),
            None => text.push_str(&nothing_asked(law.pack.vocabulary())),
        }
        text
    }
}

/// The comment of the schema above the declaration of a type, as one line.
fn comment<'a>(schema: &'a str, type_name: &str) -> Option<String> {
    let declared = format!("entity {type_name} ");
    let mut above: Vec<&'a str> = Vec::new();
    for line in schema.lines().map(str::trim) {
        if line.starts_with(&declared) {
            return (!above.is_empty()).then(|| above.join(" "));
        }
        match line.strip_prefix("//") {
            Some(words) => above.push(words.trim()),
            None => above.clear(),
        }
    }
    None
}

/// The bundle as Cedar's tool reads it.
struct Reader {
    schema: Schema,
    policies: PolicySet,
    entities: Entities,
}

impl Reader {
    fn new(files: &BTreeMap<String, String>) -> Result<Self, String> {
        let text = |name: &str| files.get(name).map_or("", String::as_str);
        let (schema, _) =
            Schema::from_cedarschema_str(text(SCHEMA)).map_err(|error| error.to_string())?;
        let read: PolicySet = text(POLICIES).parse().map_err(|error| format!("{error}"))?;
        let policies = read.policies().map(|policy| {
            let id = policy.annotation("id").unwrap_or_default();
            policy.new_id(PolicyId::new(id))
        });
        Ok(Self {
            policies: PolicySet::from_policies(policies).map_err(|error| error.to_string())?,
            entities: Entities::from_json_str(text(ENTITIES), Some(&schema))
                .map_err(|error| error.to_string())?,
            schema,
        })
    }

    fn decide(&self, asked: &Asked, element: &str, at: usize) -> Result<Line, String> {
        let action = uid("Action", "disclose")?;
        let context = context(asked, element);
        let context = Context::from_json_value(context, Some((&self.schema, &action)))
            .map_err(|error| error.to_string())?;
        let request = Request::new(
            uid("Agency", &asked.query.recipient.path)?,
            action,
            uid(RECORD, &name(at))?,
            context,
            Some(&self.schema),
        )
        .map_err(|error| error.to_string())?;
        let response = Authorizer::new().is_authorized(&request, &self.policies, &self.entities);
        if let Some(error) = response.diagnostics().errors().next() {
            return Err(error.to_string());
        }
        let reasons = response.diagnostics().reason();
        Ok(Line {
            element: element.to_owned(),
            record: at,
            allowed: response.decision() == Decision::Allow,
            released: false,
            policies: reasons.map(ToString::to_string).collect(),
        })
    }
}

/// Names become names of files, and words of a shell script.
fn plain(asked: &Asked) -> Result<(), String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    let recipient = asked.query.recipient.path.split('/');
    let names = asked.elements.iter().map(String::as_str).chain(recipient);
    for name in names {
        if name.is_empty() || name.starts_with('.') || !name.chars().all(plain) {
            return Err(format!("`{name}` cannot be the name of a file"));
        }
    }
    Ok(())
}

fn name(at: usize) -> String {
    format!("r{}", at + 1)
}

fn renamed(policy: &Policy, id: &str) -> Result<String, String> {
    let pst = policy.to_pst().map_err(|error| error.to_string())?;
    let body = pst.body().clone();
    let mut annotations = body.annotations.clone();
    annotations.insert("id".to_owned(), id.into());
    let renamed = StaticPolicy::try_from(body.with_annotations(annotations))
        .map_err(|error| error.to_string())?;
    let renamed =
        Policy::from_pst(PstPolicy::Static(renamed)).map_err(|error| error.to_string())?;
    renamed
        .to_cedar()
        .ok_or_else(|| "a template is no provision".to_owned())
}

fn context(asked: &Asked, element: &str) -> Value {
    let entity = |kind: &str, id: &str| json!({ "__entity": { "type": kind, "id": id } });
    json!({
        "custodian": entity("Agency", &asked.query.custodian.path),
        "element": entity("Element", element),
        "purpose": entity("Purpose", &asked.query.purpose.path),
    })
}

fn lines(value: &Value) -> String {
    format!("{value:#}\n")
}

/// The entities in the order of their types and ids, every set in order.
fn listed(entities: &[Entity]) -> Result<String, String> {
    let mut known: BTreeMap<String, Value> = BTreeMap::new();
    for entity in entities {
        let mut value = entity.to_json_value().map_err(|error| error.to_string())?;
        order(&mut value);
        // The first says most: see where agencies are put together.
        known.entry(entity.uid().to_string()).or_insert(value);
    }
    let entities: Vec<String> = known.values().map(ToString::to_string).collect();
    Ok(format!("[\n{}\n]\n", entities.join(",\n")))
}

/// Puts arrays, which stand for sets, in order.
fn order(value: &mut Value) {
    match value {
        Value::Array(members) => {
            members.iter_mut().for_each(order);
            members.sort_by_key(ToString::to_string);
        }
        Value::Object(members) => members.values_mut().for_each(order),
        _ => {}
    }
}

fn decisions_csv(table: &[Line]) -> String {
    let mut text = String::from("element,record,decision,policies,released\n");
    for line in table {
        let decision = if line.allowed { "ALLOW" } else { "DENY" };
        let released = if line.released { "yes" } else { "no" };
        let policies: Vec<&str> = line.policies.iter().map(String::as_str).collect();
        let record = name(line.record);
        let policies = policies.join(" ");
        text.push_str(&format!(
            "{},{record},{decision},{policies},{released}\n",
            line.element
        ));
    }
    text
}

fn request_env(asked: &Asked) -> String {
    format!(
        "principal='Agency::\"{}\"'\naction='Action::\"disclose\"'\n",
        asked.query.recipient.path
    )
}

fn sums(files: &BTreeMap<String, String>) -> String {
    let line = |(name, text): (&String, &String)| {
        let digest = Digest::from_bytes(Sha256::digest(text).into()).to_string();
        let hex = digest.rsplit(':').next().unwrap_or_default();
        format!("{hex}  {name}\n")
    };
    files.iter().map(line).collect()
}

const INTRODUCTION: &str = "\
Everything that it takes to decide again, with Cedar's own command line tool and nothing of
Chancery, what may leave: `cargo install cedar-policy-cli --version 4.14.1 --locked`.

A decision is about one element of one person's record: may this recipient be given it, by this
custodian, for this purpose? An element leaves only where the answer is ALLOW. A person's row leaves
only where the element that stands for the row itself may leave as well, and Chancery may hold back
more, such as counts of few people; it never lets more leave than is allowed here.";

const EDITIONS: &str = "\
These were edited since they were signed off, and apply in both editions: `@signed` marks what was
signed. A bar of either edition holds. A permit counts only where both editions permit, which Cedar
does not know: where its answer is ALLOW, the last column of `decisions.csv` says whether a release
lets it go.

";

const DIGEST: &str = "\
The digest of a law pack is SHA-256 over its files in the order of their paths (`examples/` left out):
for each the path within the pack and then the content, either preceded by its length in bytes as a
big-endian number of eight bytes. With overlays it is SHA-256 over eight bytes of 0xff, the number of
layers in eight bytes, and the digest of each layer, the pack's first.

";

const ATTRIBUTES: &str = "\
## What a record says

`unknown` is a value of every attribute: the evidence does not tell. The classification of the law pack
derives the values; what follows is what its schema says of them.

| attribute | values | what they mean |
|---|---|---|
";

const ALWAYS: &str = "\
## Files

| file | |
|---|---|
| `README.md` | this text |
| `schema.cedarschema` | what a rule may ask about |
| `policies.cedar` | the provisions in force that day, each under its id, with clause and reason |
| `entities.json` | agencies, purposes, elements and their sets, instruments with the parties of that day, records |
| `records.csv` | the records' attributes: each combination once, for however many people |
";

const WITH_A_REQUEST: &str = "\
| `decisions.csv` | what must be decided of every element asked for and every record |
| `contexts/` | the facts of the request, a file for each element asked for |
| `request.env` | who asks, and the action, for `rerun.sh` |
| `rerun.sh` | decides the lines of `decisions.csv` again with Cedar's tool |
";

/// The table of the files that are there.
fn files(asked: Option<&Asked>) -> String {
    let more = asked.map_or("", |_| WITH_A_REQUEST);
    format!("{ALWAYS}{more}| `SHA256SUMS` | the digests of all the other files |\n\n")
}

const CHECK: &str = "\
## Checking the files

```sh
sha256sum --check --strict SHA256SUMS
cedar validate --deny-warnings --schema schema.cedarschema --policies policies.cedar
```

";

/// How to ask, where no request is given: with the pack's own first words.
fn nothing_asked(words: &crate::Vocabulary) -> String {
    let mut agencies = words.agency_paths().filter(|path| !path.contains('*'));
    let custodian = agencies.next().unwrap_or_default();
    let recipient = agencies.next().unwrap_or(custodian);
    let purpose = words.purposes().first().map_or("", |p| p.path.as_str());
    let element = words.element_names().next().unwrap_or_default();
    format!(
        "## Deciding\n\nNo request goes with this bundle. Write the facts of one into \
         `context.json`, and ask:\n\n```json\n\
         {{ \"purpose\": {{ \"__entity\": {{ \"type\": \"Purpose\", \"id\": \"{purpose}\" }} }},\n  \
         \"element\": {{ \"__entity\": {{ \"type\": \"Element\", \"id\": \"{element}\" }} }},\n  \
         \"custodian\": {{ \"__entity\": {{ \"type\": \"Agency\", \"id\": \"{custodian}\" }} }} }}\n```\n\n\
         ```sh\ncedar authorize --verbose --schema schema.cedarschema --policies policies.cedar \\\n  \
         --entities entities.json --principal 'Agency::\"{recipient}\"' --action \
         'Action::\"disclose\"' \\\n  --resource 'Record::\"r1\"' --context context.json\n```\n"
    )
}

fn rerun(asked: &Asked) -> String {
    let query = &asked.query;
    let element = asked.elements.first().map_or("", String::as_str);
    format!(
        "## Deciding\n\n`{}` asks `{}` for records; purpose: `{}`.\n\n\
         `decisions.csv` says for every element asked for and every record what the answer must be, \
         and which policies determine it: those that permit, or those that forbid; none if nothing \
         permits it. The last column says whether a release lets it go. To decide one again, say element `{element}` of record `r1`:\n\n\
         ```sh\ncedar authorize --verbose --schema schema.cedarschema --policies policies.cedar \\\n  \
         --entities entities.json --principal 'Agency::\"{}\"' --action 'Action::\"disclose\"' \\\n  \
         --resource 'Record::\"r1\"' --context contexts/{element}.json\n```\n\n\
         All of them again, or those of some elements; every difference is printed:\n\n\
         ```sh\nsh rerun.sh\nsh rerun.sh {element}\n```\n\n\
         Each decision starts the tool anew, which reads and validates all files: reckon with some \
         tenths of a second for each, more the more records there are.\n",
        query.recipient.path, query.custodian.path, query.purpose.path, query.recipient.path,
    )
}

const RERUN: &str = r#"# Decides the lines of decisions.csv again with `cedar` and prints every difference.
# Usage: sh rerun.sh [ELEMENT...]; CEDAR names the program, if it is not `cedar`.
set -u
cd "$(dirname "$0")" || exit 2
. ./request.env
count=0
bad=0
while IFS=, read -r element record decision policies released; do
  [ "$element" = element ] && continue
  if [ $# -gt 0 ]; then
    case " $* " in *" $element "*) ;; *) continue ;; esac
  fi
  said=$("${CEDAR:-cedar}" authorize --verbose --schema schema.cedarschema \
    --policies policies.cedar --entities entities.json --principal "$principal" \
    --action "$action" --resource "Record::\"$record\"" --context "contexts/$element.json" 2>&1)
  answer=$(printf '%s\n' "$said" | grep -x -e ALLOW -e DENY)
  by=$(printf '%s\n' "$said" | sed -n 's/^  \(.*#.*\)$/\1/p' | LC_ALL=C sort | tr '\n' ' ')
  count=$((count + 1))
  if [ "$answer" != "$decision" ] || [ "${by% }" != "$policies" ]; then
    bad=$((bad + 1))
    echo "$element of $record: expected $decision $policies, got ${answer:-no answer} ${by% }"
  fi
done <decisions.csv
echo "$count decisions, $bad differ"
[ "$count" -gt 0 ] && [ "$bad" -eq 0 ]
"#;
