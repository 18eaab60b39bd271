//! A timeline as a picture that prints: what may leave, by groups of origins and of elements, with the
//! events above. Told apart by letter and pattern, never by colour alone.

use std::fmt::Write as _;

use chancery_law::LawPack;
use chancery_law::enumerate::People;
use chancery_law::timeline::{Moment, Panel, Row, Span, Timeline};
use chancery_model::{Domain, Predicate, UNKNOWN};
use jiff::civil::Date;

use super::{phrases, title};
use crate::text;

const WIDTH: f64 = 1200.0;
const MARGIN: f64 = 32.0;
/// Where the time begins, to the right of the rows' labels.
const LEFT: f64 = 330.0;
const RIGHT: f64 = WIDTH - MARGIN;
const LINE: f64 = 17.0;
const BAR: f64 = 24.0;

/// How a group of people is filled: a background, a pattern over it, and the letter's colours.
struct Fill {
    background: &'static str,
    ink: &'static str,
    pattern: &'static str,
}

/// Colours that people with any form of colour blindness tell apart (Okabe and Ito), each with a
/// pattern of its own for print in black and white.
const FILLS: [Fill; 6] = [
    Fill {
        background: "#0072b2",
        ink: "#0072b2",
        pattern: "",
    },
    Fill {
        background: "#fbe3b3",
        ink: "#8a5a00",
        pattern: "M-2,2 l4,-4 M0,8 l8,-8 M6,10 l4,-4",
    },
    Fill {
        background: "#bfe8da",
        ink: "#00573f",
        pattern: "M2,2 h2 v2 h-2 z M6,6 h2 v2 h-2 z",
    },
    Fill {
        background: "#f2d3e4",
        ink: "#8f2f66",
        pattern: "M0,4 h8",
    },
    Fill {
        background: "#d9edf9",
        ink: "#1b5e86",
        pattern: "M4,0 v8",
    },
    Fill {
        background: "#f7d9c6",
        ink: "#8f3d00",
        pattern: "M0,0 l8,8 M8,0 l-8,8",
    },
];

/// Draws a timeline.
pub(super) fn draw(timeline: &Timeline, law: &LawPack) -> String {
    let origin = law.domain().attribute(&law.classification().origin);
    let elements: Vec<&str> = law.vocabulary().element_names().collect();
    let panels = origin.map_or_else(Vec::new, |(at, _)| {
        timeline.panels(at, &elements, law.domain())
    });
    let groups = groups(&panels, law.domain());
    let mut picture = Picture {
        timeline,
        law,
        panels,
        groups,
        body: String::new(),
        y: MARGIN,
    };
    picture.heading();
    picture.legend();
    picture.chart();
    picture.events();
    picture.never();
    picture.footer();
    picture.finish()
}

/// The groups of people that occur, the largest first: they get the letters.
fn groups(panels: &[Panel], domain: &Domain) -> Vec<Predicate> {
    let mut groups: Vec<Predicate> = Vec::new();
    let rows = panels.iter().flat_map(|panel| &panel.rows);
    for span in rows.flat_map(|row| &row.spans) {
        if span.when != Predicate::Never && !groups.contains(&span.when) {
            groups.push(span.when.clone());
        }
    }
    groups.sort_by_cached_key(|when| std::cmp::Reverse(People::of(when, domain).len()));
    groups
}

struct Picture<'a> {
    timeline: &'a Timeline,
    law: &'a LawPack,
    panels: Vec<Panel>,
    groups: Vec<Predicate>,
    body: String,
    /// Where the next part begins.
    y: f64,
}

impl Picture<'_> {
    fn put(&mut self, element: &str) {
        self.body.push_str(element);
        self.body.push('\n');
    }

    fn words(&mut self, x: f64, y: f64, class: &str, words: &str) {
        let words = escaped(words);
        self.put(&format!(
            r#"<text x="{x:.1}" y="{y:.1}" class="{class}">{words}</text>"#
        ));
    }

    fn heading(&mut self) {
        for line in wrapped(&title(self.timeline), RIGHT - MARGIN, 21.0) {
            self.y += 26.0;
            let y = self.y;
            self.words(MARGIN, y, "title", &line);
        }
        let known = self.law.known_by();
        let known = known.map_or(String::new(), |day| {
            format!(", as known on {}", text::day(day))
        });
        let words = format!(
            "{} to {}{known}. Each bar says about whom a record's element may leave; no bar, nobody.",
            text::day(self.timeline.from),
            text::day(self.timeline.until)
        );
        self.y += 24.0;
        let y = self.y;
        self.words(MARGIN, y, "small", &words);
        self.y += 14.0;
    }

    fn legend(&mut self) {
        for (at, when) in self.groups.clone().iter().enumerate() {
            let top = self.y;
            let fill = at % FILLS.len();
            self.put(&format!(
                r#"<rect x="{MARGIN}" y="{top:.1}" width="44" height="18" class="bar f{fill}"/>"#
            ));
            self.letter(MARGIN + 22.0, top + 9.0, at);
            let words = self.people(when);
            for line in wrapped(&words, RIGHT - MARGIN - 60.0, 13.0) {
                let y = self.y + 13.5;
                self.words(MARGIN + 56.0, y, "small", &line);
                self.y += LINE;
            }
            self.y += 7.0;
        }
        self.y += 10.0;
    }

    /// A group of people in words.
    fn people(&self, when: &Predicate) -> String {
        match when {
            Predicate::Always => "Everyone".to_owned(),
            when => {
                // In the pack's own code: `presence is not_lawful` is one value, and its words would
                // read as anything but lawful.
                format!("People whose {}", when.display(self.law.domain()))
            }
        }
    }

    /// The letter of a group, on a white disc.
    fn letter(&mut self, x: f64, y: f64, group: usize) {
        let letter = letter(group);
        self.put(&format!(
            r#"<circle cx="{x:.1}" cy="{y:.1}" r="8" class="disc"/><text x="{x:.1}" y="{:.1}" class="letter">{letter}</text>"#,
            y + 4.2
        ));
    }

    /// Where a day begins.
    fn x(&self, day: Date) -> f64 {
        let days = |from: Date, to: Date| f64::from((to - from).get_days());
        let all = days(self.timeline.from, self.timeline.until) + 1.0;
        let at = days(self.timeline.from, day).clamp(0.0, all);
        LEFT + (RIGHT - LEFT) * at / all
    }

    fn chart(&mut self) {
        let marks = self.y;
        let levels = self.levels();
        let lines_from = marks + 22.0 * levels_count(&levels) + 4.0;
        self.y = lines_from + 26.0;
        let axis = self.y - 8.0;
        let mut drawn = std::mem::take(&mut self.body);
        for at in 0..self.panels.len() {
            self.panel(at);
        }
        let bottom = self.y - 8.0;
        let panels = std::mem::take(&mut self.body);
        // Behind the bars: months, then the events' lines.
        self.months(axis, bottom);
        self.marks(marks, bottom, &levels);
        self.ticks(axis);
        drawn.push_str(&std::mem::take(&mut self.body));
        drawn.push_str(&panels);
        self.body = drawn;
        self.y += 8.0;
    }

    /// The first days of the months, or of years if there are too many.
    fn first_days(&self) -> Vec<Date> {
        const MOST: i32 = 36;
        let (from, until) = (self.timeline.from, self.timeline.until);
        let years = i32::from(until.year()) - i32::from(from.year());
        let step = if years * 12 <= MOST {
            jiff::Span::new().months(1)
        } else {
            jiff::Span::new().years(1 + years / MOST)
        };
        let mut day = if years * 12 <= MOST {
            from.first_of_month()
        } else {
            from.first_of_year()
        };
        let mut days = Vec::new();
        while day <= until {
            if day >= from {
                days.push(day);
            }
            let Ok(next) = day.checked_add(step) else {
                break;
            };
            day = next;
        }
        days
    }

    /// Whether years are told apart, and no months.
    fn is_long(&self) -> bool {
        self.first_days().iter().all(|day| day.month() == 1)
    }

    fn months(&mut self, y: f64, bottom: f64) {
        for month in self.first_days() {
            let x = self.x(month);
            let is_year = month.month() == 1 && !self.is_long();
            let class = if is_year { "year" } else { "month" };
            self.put(&format!(
                r#"<line x1="{x:.1}" y1="{:.1}" x2="{x:.1}" y2="{bottom:.1}" class="{class}"/>"#,
                y - 12.0
            ));
        }
    }

    /// The months' names, as many as there is room for.
    fn ticks(&mut self, y: f64) {
        let mut free = LEFT;
        let mut year = None;
        for month in self.first_days() {
            let x = self.x(month);
            let (form, width) = if self.is_long() {
                ("%Y", 40.0)
            } else if year == Some(month.year()) {
                ("%b", 30.0)
            } else {
                ("%b %Y", 62.0)
            };
            if x >= free && RIGHT - x > width {
                let words = month.strftime(form).to_string();
                self.words(x + 4.0, y - 2.0, "tick", &words);
                free = x + width;
                year = Some(month.year());
            }
        }
    }

    /// On which line each event's number stands, so that none covers another.
    fn levels(&self) -> Vec<usize> {
        let mut ends: Vec<f64> = Vec::new();
        let mut levels = Vec::new();
        for moment in &self.timeline.moments {
            let x = self.x(moment.on);
            let free = ends.iter().position(|end| *end <= x - 11.0);
            let level = free.unwrap_or(ends.len());
            match ends.get_mut(level) {
                Some(end) => *end = x + 11.0,
                None => ends.push(x + 11.0),
            }
            levels.push(level);
        }
        levels
    }

    fn marks(&mut self, top: f64, bottom: f64, levels: &[usize]) {
        let moments = self.timeline.moments.iter().zip(levels);
        for (number, (moment, level)) in (1_usize..).zip(moments) {
            let x = self.x(moment.on);
            let y = top + 11.0 + 22.0 * size(*level);
            self.put(&format!(
                r#"<line x1="{x:.1}" y1="{y:.1}" x2="{x:.1}" y2="{bottom:.1}" class="event"/>"#
            ));
            self.put(&format!(
                r#"<circle cx="{x:.1}" cy="{y:.1}" r="10" class="mark"/><text x="{x:.1}" y="{:.1}" class="number">{number}</text>"#,
                y + 4.2
            ));
        }
    }

    fn panel(&mut self, at: usize) {
        let Some(panel) = self.panels.get(at).cloned() else {
            return;
        };
        self.y += 6.0;
        let heading = self.whose(&panel);
        let lines = wrapped(&heading, RIGHT - MARGIN, 14.5);
        let height = 6.0 + 19.0 * size(lines.len());
        self.put(&format!(
            r#"<rect x="{MARGIN}" y="{:.1}" width="{:.1}" height="{height:.1}" class="band"/>"#,
            self.y,
            RIGHT - MARGIN
        ));
        for line in lines {
            self.y += 19.0;
            let y = self.y - 3.0;
            self.words(MARGIN + 8.0, y, "panel", &line);
        }
        self.y += 12.0;
        for row in &panel.rows {
            self.row(row);
        }
        if panel.rows.is_empty() {
            self.y += 14.0;
            let y = self.y;
            self.words(
                MARGIN + 8.0,
                y,
                "small",
                "Nothing may leave on any of these days.",
            );
            self.y += 8.0;
        }
        self.y += 10.0;
    }

    fn row(&mut self, row: &Row) {
        let lines = wrapped(&plain(&row.elements.join(", ")), LEFT - MARGIN - 24.0, 13.0);
        let height = (LINE * size(lines.len())).max(BAR) + 8.0;
        let top = self.y;
        let first = top + (height - LINE * size(lines.len())) / 2.0 + 12.5;
        for (line, words) in lines.iter().enumerate() {
            self.words(MARGIN + 8.0, first + LINE * size(line), "label", words);
        }
        let bar = top + (height - BAR) / 2.0;
        let middle = bar + BAR / 2.0;
        self.put(&format!(
            r#"<line x1="{LEFT:.1}" y1="{middle:.1}" x2="{RIGHT:.1}" y2="{middle:.1}" class="nobody"/>"#
        ));
        for span in &row.spans {
            self.span(span, bar, &row.elements);
        }
        self.y += height;
    }

    fn span(&mut self, span: &Span, top: f64, elements: &[String]) {
        let Some(group) = self.groups.iter().position(|when| *when == span.when) else {
            return;
        };
        let left = self.x(span.from);
        let right = self.x(span.until.tomorrow().unwrap_or(span.until));
        let fill = group % FILLS.len();
        let says = format!(
            "{}: {}, {} to {}: {}",
            letter(group),
            plain(&elements.join(", ")),
            text::day(span.from),
            text::day(span.until),
            self.people(&span.when)
        );
        self.put(&format!(
            r#"<rect x="{left:.1}" y="{top:.1}" width="{:.1}" height="{BAR}" class="bar f{fill}"><title>{}</title></rect>"#,
            right - left,
            escaped(&says)
        ));
        if right - left > 20.0 {
            self.letter(left + 13.0, top + BAR / 2.0, group);
        }
    }

    /// The origins of a panel in words, parties by name.
    fn whose(&self, panel: &Panel) -> String {
        let origin = self
            .law
            .domain()
            .attribute(&self.law.classification().origin);
        let values = origin.map_or(&[][..], |(_, attribute)| attribute.values.as_slice());
        let codes = panel.origins.iter();
        let codes = codes.filter_map(|at| values.get(usize::from(*at)));
        let (unknown, codes): (Vec<&String>, Vec<&String>) =
            codes.partition(|code| *code == UNKNOWN);
        let followed = self.timeline.instruments.iter();
        let followed = followed.filter_map(|id| self.law.instrument(id));
        let parties: Vec<_> = followed.flat_map(|one| &one.parties).collect();
        let party = |code: &&String| parties.iter().find(|party| party.origin == **code);
        let named = codes
            .iter()
            .filter_map(|code| party(code).map(|party| party.name.as_str()));
        let mut named: Vec<&str> = named.collect();
        named.sort_unstable();
        if panel.origins.len() == values.len() {
            return "Records of every origin".to_owned();
        }
        let others = codes.len() - named.len();
        let mut words = match (named.is_empty(), others) {
            (true, 0) => "Records".to_owned(),
            (true, n) => format!("Records from the {n} states and territories that are no party"),
            (false, 0) => format!("Records from {}", named.join(", ")),
            (false, n) => format!("Records from {}, and {n} others", named.join(", ")),
        };
        if !unknown.is_empty() {
            words.push_str(if codes.is_empty() {
                " of unknown origin"
            } else {
                ", and records of unknown origin"
            });
        }
        words
    }

    fn events(&mut self) {
        self.y += 16.0;
        let y = self.y;
        self.words(MARGIN, y, "panel", "Events");
        self.y += 8.0;
        let blocks = self.timeline.moments.iter().map(|moment| described(moment));
        let blocks: Vec<Vec<(&str, String)>> = blocks.collect();
        let column = (RIGHT - MARGIN - 24.0) / 2.0;
        let half = {
            let total: usize = blocks.iter().map(Vec::len).sum();
            let mut sum = 0;
            let before = blocks.iter().take_while(|block| {
                sum += block.len();
                sum * 2 <= total + block.len()
            });
            before.count()
        };
        let top = self.y;
        let mut bottom = top;
        for (at, block) in blocks.iter().enumerate() {
            if at == half {
                self.y = top;
            }
            let x = if at < half {
                MARGIN
            } else {
                MARGIN + column + 24.0
            };
            self.y += 6.0;
            let y = self.y;
            self.put(&format!(
                r#"<circle cx="{:.1}" cy="{:.1}" r="10" class="mark"/><text x="{:.1}" y="{:.1}" class="number">{}</text>"#,
                x + 10.0,
                y + 9.0,
                x + 10.0,
                y + 13.2,
                at + 1
            ));
            for (class, words) in block {
                self.y += LINE;
                let y = self.y - 3.5;
                self.words(x + 30.0, y, class, words);
            }
            bottom = bottom.max(self.y);
        }
        self.y = bottom + 14.0;
    }

    /// What leaves on no day.
    fn never(&mut self) {
        let ever = self.panels.iter().flat_map(|panel| &panel.rows);
        let ever: Vec<&String> = ever.flat_map(|row| &row.elements).collect();
        let elements = self.law.vocabulary().element_names();
        let never: Vec<&str> = elements
            .filter(|name| !ever.iter().any(|known| known == name))
            .collect();
        if never.is_empty() {
            return;
        }
        let words = format!("On no day, of anyone: {}.", plain(&never.join(", ")));
        self.y += 8.0;
        for line in wrapped(&words, RIGHT - MARGIN, 13.0) {
            self.y += LINE;
            let y = self.y;
            self.words(MARGIN, y, "small", &line);
        }
    }

    fn footer(&mut self) {
        let followed = self.timeline.instruments.iter();
        let followed = followed.filter_map(|id| self.law.instrument(id));
        let mut reviews: Vec<&str> = followed.map(|one| one.review.status.as_str()).collect();
        reviews.sort_unstable();
        reviews.dedup();
        let words = format!(
            "Computed from the law pack {} {}; review of the instruments: {}.",
            self.law.name,
            self.law.version,
            reviews.join(", ")
        );
        self.y += 26.0;
        let y = self.y;
        self.words(MARGIN, y, "note", &words);
        self.y += MARGIN;
    }

    /// The picture in words, for those who do not see it.
    fn description(&self) -> String {
        let groups = self
            .groups
            .iter()
            .enumerate()
            .map(|(at, when)| format!("{}: {}.", letter(at), self.people(when)));
        let panels = self.panels.iter().map(|panel| {
            let rows = panel.rows.iter().map(|row| {
                let spans = row.spans.iter().filter_map(|span| {
                    let group = self.groups.iter().position(|when| *when == span.when)?;
                    Some(format!(
                        "{} from {} to {}",
                        letter(group),
                        span.from,
                        span.until
                    ))
                });
                let spans: Vec<String> = spans.collect();
                format!("{}: {}", plain(&row.elements.join(", ")), spans.join(", "))
            });
            let rows: Vec<String> = rows.collect();
            format!("{}: {}.", self.whose(panel), rows.join("; "))
        });
        groups.chain(panels).collect::<Vec<_>>().join(" ")
    }

    fn finish(self) -> String {
        let height = self.y.ceil();
        let mut svg = format!(
            concat!(
                r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" "#,
                r#"width="{width}" height="{height}" role="img" aria-labelledby="title desc" "#,
                r#"font-family="Helvetica Neue, Helvetica, Arial, Liberation Sans, sans-serif">"#,
                "\n<title id=\"title\">{title}</title>\n<desc id=\"desc\">{desc}</desc>\n"
            ),
            width = WIDTH,
            height = height,
            title = escaped(&title(self.timeline)),
            desc = escaped(&self.description()),
        );
        svg.push_str(&styles());
        svg.push_str("<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n");
        svg.push_str(&self.body);
        svg.push_str("</svg>\n");
        svg
    }
}

/// An event with its day, each line with its class.
fn described(moment: &Moment) -> Vec<(&'static str, String)> {
    const COLUMN: f64 = (RIGHT - MARGIN - 24.0) / 2.0 - 40.0;
    let effect = match (moment.lost.is_empty(), moment.gained.is_empty()) {
        (true, true) => "",
        (false, true) => " ▼ less may leave",
        (true, false) => " ▲ more may leave",
        (false, false) => " ▼▲ some less, some more may leave",
    };
    let mut lines = vec![("day", format!("{}{effect}", text::day(moment.on)))];
    for words in phrases(&moment.happenings) {
        let words = wrapped(&words, COLUMN, 13.0);
        lines.extend(words.into_iter().map(|line| ("small", line)));
    }
    lines
}

fn styles() -> String {
    let mut css = String::from(concat!(
        "<style>\n",
        "text{fill:#1a1a1a}\n",
        ".title{font-size:21px;font-weight:700}\n",
        ".panel{font-size:14.5px;font-weight:700}\n",
        ".label,.small{font-size:13px}\n",
        ".day{font-size:13px;font-weight:700}\n",
        ".note{font-size:12px;fill:#444}\n",
        ".tick{font-size:12px;fill:#444;stroke:#fff;stroke-width:4px;paint-order:stroke}\n",
        ".letter{font-size:12px;font-weight:700;text-anchor:middle}\n",
        ".number{font-size:12px;font-weight:700;text-anchor:middle;fill:#fff}\n",
        ".disc{fill:#fff;stroke:#1a1a1a;stroke-width:1}\n",
        ".mark{fill:#1a1a1a}\n",
        ".band{fill:#eef0f2}\n",
        ".bar{stroke:#1a1a1a;stroke-width:1}\n",
        ".nobody{stroke:#bbb;stroke-width:1}\n",
        ".month{stroke:#e4e4e4;stroke-width:1}\n",
        ".year{stroke:#999;stroke-width:1}\n",
        ".event{stroke:#1a1a1a;stroke-width:1;stroke-dasharray:2 3}\n",
    ));
    let mut patterns = String::from("<defs>\n");
    for (at, fill) in FILLS.iter().enumerate() {
        let Fill {
            background,
            ink,
            pattern,
        } = fill;
        let _ = writeln!(css, ".f{at}{{fill:url(#p{at})}}");
        let _ = writeln!(
            patterns,
            r#"<pattern id="p{at}" width="8" height="8" patternUnits="userSpaceOnUse"><rect width="8" height="8" fill="{background}"/><path d="{pattern}" stroke="{ink}" stroke-width="1.4" fill="none"/></pattern>"#
        );
    }
    format!("{css}</style>\n{patterns}</defs>\n")
}

/// `A`, `B`, … `Z`, `A1`, ….
fn letter(group: usize) -> String {
    let letter = u8::try_from(group % 26).map_or('?', |at| char::from(b'A' + at));
    match group / 26 {
        0 => letter.to_string(),
        round => format!("{letter}{round}"),
    }
}

/// Names of the pack as words.
fn plain(words: &str) -> String {
    words.replace('_', " ")
}

fn size(count: usize) -> f64 {
    u32::try_from(count).map_or(f64::MAX, f64::from)
}

fn levels_count(levels: &[usize]) -> f64 {
    size(levels.iter().max().map_or(0, |most| most + 1))
}

/// Lines of words that fit a width, by the average width of a letter.
fn wrapped(words: &str, width: f64, font: f64) -> Vec<String> {
    const LETTER: f64 = 0.52;
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in words.split_whitespace() {
        let letters = line.chars().count() + 1 + word.chars().count();
        if !line.is_empty() && size(letters) * font * LETTER > width {
            lines.push(std::mem::take(&mut line));
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    lines.push(line);
    lines
}

/// Text as XML has it; what XML cannot hold, and marks of direction, are left out.
fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\t' | '\n' => safe.push(' '),
            c if c.is_control() || text::is_unseen(c) || matches!(c, '\u{fffe}' | '\u{ffff}') => {}
            c => safe.push(c),
        }
    }
    safe
}
