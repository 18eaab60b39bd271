//! A chart of bars that needs no script: rows of any width, their text never scaled.

use maud::{Markup, html};

use super::page::amount;
use crate::amount::Amount;

/// The most bars; the table beside has all.
const MOST: usize = 24;
const ROW: usize = 42;

/// The last months as bars. A suppressed count is a mark of one width, whatever it is.
pub(super) fn bars(title: &str, bars: &[(String, Amount)]) -> Markup {
    let shown = bars
        .get(bars.len().saturating_sub(MOST)..)
        .unwrap_or_default();
    let largest = shown.iter().filter_map(|(_, amount)| amount.number()).max();
    let largest = largest.unwrap_or(0).max(1);
    let said = shown
        .iter()
        .map(|(label, count)| format!("{label}: {}", amount(*count)));
    let said = said.collect::<Vec<_>>().join("; ");
    html! {
        figure {
            svg role="img" aria-labelledby="chart-title chart-text" width="100%" height=(shown.len() * ROW) {
                title id="chart-title" { (title) }
                desc id="chart-text" { (said) "." }
                @for (at, (label, count)) in shown.iter().enumerate() {
                    text x="0" y=(at * ROW + 16) { (label) }
                    text class="value" x="100%" y=(at * ROW + 16) text-anchor="end" { (amount(*count)) }
                    rect class="track" x="0" y=(at * ROW + 23) width="100%" height="10" rx="2" {}
                    @match count.number() {
                        Some(number) => rect class="bar" x="0" y=(at * ROW + 23) width={ (width(number, largest)) "%" } height="10" rx="2" {},
                        None => rect class="hidden" x="0" y=(at * ROW + 23) width="10" height="10" rx="2" {},
                    }
                }
            }
            figcaption { (title) @if bars.len() > shown.len() { ", the last " (shown.len()) } }
        }
    }
}

/// In percent with one decimal; what is not nothing is seen.
fn width(number: u64, largest: u64) -> String {
    let permille = u128::from(number) * 1000 / u128::from(largest.max(1));
    let permille = if number > 0 { permille.max(5) } else { 0 };
    format!("{}.{}", permille / 10, permille % 10)
}
