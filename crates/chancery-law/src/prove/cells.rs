//! The answers of a day, put into classes of cases that the same provisions apply to.

use std::collections::HashMap;
use std::sync::Arc;

use crate::enumerate::{Answers, At, Cell, People};
use crate::prove::Weight;
use crate::{Effect, LawPack};

/// Cases that the same provisions apply to, for the same people.
pub(super) struct Class {
    /// Those for whom some permit applies.
    pub(super) permitted: People,
    /// Those for whom some forbid applies.
    pub(super) barred: People,
    /// Those for whom some forbid applies that is of a layer up to so-and-so.
    barred_up_to: Vec<People>,
    /// Those whose element is released.
    pub(super) released: Arc<People>,
    hits: Vec<(usize, Arc<People>)>,
}

/// What the law of a day says about one action.
pub(super) struct Cells {
    pub(super) answers: Answers,
    pub(super) classes: Vec<Class>,
    /// The class of every combination of kinds, in their order.
    of: Vec<usize>,
}

impl Cells {
    pub(super) fn new(answers: Answers, pack: &LawPack) -> Self {
        let mut known: HashMap<Vec<(usize, *const People)>, usize> = HashMap::new();
        let mut classes = Vec::new();
        let mut of = Vec::with_capacity(answers.space().len());
        for at in answers.space().each() {
            let cell = answers.cell(at);
            let key = cell
                .hits
                .iter()
                .map(|(provision, people)| (*provision, Arc::as_ptr(people)));
            let next = classes.len();
            let class = *known.entry(key.collect()).or_insert(next);
            if class == next {
                classes.push(Class::new(cell, answers.provisions(), pack));
            }
            of.push(class);
        }
        Self {
            answers,
            classes,
            of,
        }
    }

    /// The class of a combination of kinds.
    pub(super) fn class(&self, at: At) -> Option<usize> {
        let space = self.answers.space();
        let place = at.custodian * space.recipients.len() + at.recipient;
        let place = place * space.purposes.len() + at.purpose;
        let place = place * space.elements.len() + at.element;
        self.of.get(place).copied()
    }

    /// What difference each provision makes.
    pub(super) fn weights(&self, pack: &LawPack) -> HashMap<String, Weight> {
        let mut weights: HashMap<String, Weight> = HashMap::new();
        let provisions = self.answers.provisions();
        for class in &self.classes {
            for (at, _) in &class.hits {
                if let Some((id, effect)) = provisions.get(*at) {
                    let weight = class.weight(*at, *effect, provisions, pack);
                    weights.entry(id.clone()).or_default().add(weight);
                }
            }
        }
        weights
    }
}

impl Class {
    /// Those who would be released if no layer above this one held anything back.
    pub(super) fn released_up_to(&self, layer: usize) -> People {
        let barred = self.barred_up_to.get(layer).unwrap_or(&self.barred);
        self.permitted.without(barred)
    }

    fn new(cell: Cell, provisions: &[(String, Effect)], pack: &LawPack) -> Self {
        let of = |effect| union(&cell.hits, provisions, effect, None, pack);
        let layer = |at: usize| {
            let (id, _) = provisions.get(at)?;
            pack.layer_of(id)
        };
        let up_to = |last: usize| {
            let kept = cell.hits.iter().filter(|(at, _)| layer(*at) <= Some(last));
            let kept: Vec<_> = kept.cloned().collect();
            union(&kept, provisions, Effect::Forbid, None, pack)
        };
        Self {
            // Below the uppermost layer; up to that one it is everything.
            barred_up_to: (1..pack.layers.len())
                .map(|above| up_to(above - 1))
                .collect(),
            permitted: of(Effect::Permit),
            barred: of(Effect::Forbid),
            released: cell.released,
            hits: cell.hits,
        }
    }

    fn weight(
        &self,
        provision: usize,
        effect: Effect,
        provisions: &[(String, Effect)],
        pack: &LawPack,
    ) -> Weight {
        let others = union(&self.hits, provisions, effect, Some(provision), pack);
        let (released, alone) = match effect {
            Effect::Permit => (others.without(&self.barred), false),
            Effect::Forbid => (self.permitted.without(&others), others != self.barred),
        };
        Weight {
            applies: true,
            decides: released != *self.released,
            alone,
        }
    }
}

/// Those to whom some provision of an effect applies, one left out.
fn union(
    hits: &[(usize, Arc<People>)],
    provisions: &[(String, Effect)],
    effect: Effect,
    but: Option<usize>,
    pack: &LawPack,
) -> People {
    let is = |at: usize| provisions.get(at).is_some_and(|(_, of)| *of == effect);
    hits.iter()
        .filter(|(at, _)| is(*at) && Some(*at) != but)
        .fold(People::none(pack.domain()), |all, (_, people)| {
            all.or(people)
        })
}
