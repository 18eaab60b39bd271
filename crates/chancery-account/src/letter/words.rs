//! A letter's own words. Short words and short sentences: a test measures how hard they are to read.

use jiff::civil::Date;

use super::{Exclusion, Language};

/// The words of a language. `{name}` stands for a value.
pub(super) struct Words {
    pub(super) code: &'static str,
    months: [&'static str; 12],
    day: &'static str,
    pub(super) title: &'static str,
    pub(super) subtitle: &'static str,
    pub(super) page: &'static str,
    pub(super) of: &'static str,
    pub(super) to: &'static str,
    pub(super) id_ends: &'static str,
    pub(super) asked: &'static str,
    pub(super) number: &'static str,
    pub(super) greeting: &'static str,
    pub(super) opening: &'static [&'static str],
    pub(super) list: &'static str,
    pub(super) something: &'static [&'static str],
    pub(super) nothing: &'static [&'static str],
    pub(super) when: &'static str,
    pub(super) who: &'static str,
    pub(super) what: &'static str,
    pub(super) why: &'static str,
    pub(super) law: &'static str,
    pub(super) log: &'static str,
    pub(super) series: &'static str,
    pub(super) entry: &'static str,
    pub(super) entries: &'static str,
    pub(super) no_address: &'static str,
    pub(super) left_out: &'static str,
    pub(super) left_out_is: &'static [&'static str],
    exclusions: [&'static str; 8],
    pub(super) waiting: &'static str,
    pub(super) next: &'static str,
    pub(super) ask: &'static str,
    pub(super) ask_by_mail: &'static str,
    pub(super) or: &'static str,
    pub(super) next_points: &'static [&'static str],
    pub(super) no_harm: &'static str,
    pub(super) check: &'static str,
    pub(super) check_is: &'static [&'static str],
    pub(super) command: &'static str,
    pub(super) check_rows: [(&'static str, &'static str); 3],
    pub(super) closing: &'static str,
    pub(super) civil_rights: &'static str,
}

impl Words {
    pub(super) fn of(language: Language) -> &'static Self {
        match language {
            Language::English => &ENGLISH,
            Language::Spanish => &SPANISH,
        }
    }

    /// A day as the language writes it out.
    pub(super) fn day(&self, date: Date) -> String {
        let month = usize::try_from(date.month() - 1).unwrap_or_default();
        let month = self.months.get(month).copied().unwrap_or_default();
        let (day, year) = (date.day().to_string(), date.year().to_string());
        super::fill(
            self.day,
            &[("month", month), ("day", &day), ("year", &year)],
        )
    }

    pub(super) fn exclusion(&self, exclusion: Exclusion) -> &'static str {
        let [
            care,
            yourself,
            incident,
            authorized,
            family,
            security,
            custody,
            limited,
        ] = self.exclusions;
        match exclusion {
            Exclusion::Care => care,
            Exclusion::Yourself => yourself,
            Exclusion::Incident => incident,
            Exclusion::Authorized => authorized,
            Exclusion::Family => family,
            Exclusion::NationalSecurity => security,
            Exclusion::Custody => custody,
            Exclusion::LimitedDataSet => limited,
        }
    }
}

static ENGLISH: Words = Words {
    code: "en",
    months: [
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ],
    day: "{month} {day}, {year}",
    title: "Who got your records from us",
    subtitle: "Your accounting of disclosures (45 CFR 164.528)",
    page: "Page",
    of: "of",
    to: "To the person who asked",
    id_ends: "ID number ending in {id}",
    asked: "You asked us on",
    number: "Letter number",
    greeting: "Hello,",
    opening: &[
        "You asked us who has received your records from us. This letter is our answer. It covers \
         the time from {first} to {last}.",
        "The law gives you the right to this list. The first list you ask for in any 12 months is \
         free.",
    ],
    list: "Your list",
    something: &[
        "Here is each time that we must tell you about. You can see when it was, who got your \
         records, what they got, and why.",
        "The list says what we were free to send. If we had no such fact about you, they did not \
         get it.",
    ],
    nothing: &[
        "We looked at all that we shared in this time. We found nothing about you that we must \
         list now.",
    ],
    when: "When",
    who: "Who got it",
    what: "What they got",
    why: "Why",
    law: "Law that was used",
    log: "In our log",
    series: "{times} times. The first was on {first}. The last was on {last}.",
    entry: "Entry {entry}, release {release}",
    entries: "Entries {entries}",
    no_address: "We do not know the address.",
    left_out: "What is not on this list",
    left_out_is: &[
        "The law does not make us list all that we share. So this list leaves out what we shared:",
    ],
    exclusions: [
        "to treat you, to pay for your care, or to run our program;",
        "with you, or with someone who acts for you;",
        "by chance, in the course of something that the law lets us do;",
        "because you told us in writing that we could;",
        "with family or friends who help with your care;",
        "to keep the nation safe, as the law allows;",
        "with a jail or the police while they held you;",
        "for a study, with your name and address taken out;",
    ],
    waiting: "when the police, or an office that checks on our work, asked us in writing to wait. \
              Then we list it when that time is up. All our letters say this.",
    next: "What you can do",
    ask: "Ask us. If any part of this letter is not clear, call or write: {reach}.",
    ask_by_mail: "Ask us. If any part of this letter is not clear, write to us at the address on \
                  the first page.",
    or: " or ",
    next_points: &[
        "Ask us to fix it. If your records are wrong, write to us and tell us what to change.",
        "Ask for the proof. We will send you a file that shows what we wrote in our log about \
         each time on this list.",
        "File a complaint. If you think that we broke the law, tell us. You can also tell the \
         office below. Do so within 180 days of the day you find out.",
    ],
    no_harm: "No one may punish you for a complaint. It will not change your care or your \
              benefits.",
    check: "How to check this letter",
    check_is: &[
        "We write down each time we share records before they leave. We write it in a log. If \
         someone changes the log later, it shows.",
        "You do not have to trust us. You, or someone who helps you, can check the proof with a \
         free tool. It does not need the internet. Ask us for the proof and for the keys of our \
         log. Then type:",
    ],
    command: "chancery verify-proof PROOF --keys KEYS",
    check_rows: [
        ("Name of the log", "{origin}"),
        ("Entries so far", "{size}"),
        ("Seal of the log", "{root}"),
    ],
    closing: "Sincerely,",
    civil_rights: "Office for Civil Rights, U.S. Department of Health and Human Services",
};

static SPANISH: Words = Words {
    code: "es",
    months: [
        "enero",
        "febrero",
        "marzo",
        "abril",
        "mayo",
        "junio",
        "julio",
        "agosto",
        "septiembre",
        "octubre",
        "noviembre",
        "diciembre",
    ],
    day: "{day} de {month} de {year}",
    title: "Con quién compartimos sus datos",
    subtitle: "Informe de divulgaciones de sus datos (45 CFR 164.528)",
    page: "Página",
    of: "de",
    to: "Para la persona que hizo la solicitud",
    id_ends: "Número de identificación que termina en {id}",
    asked: "Usted lo pidió el",
    number: "Número de esta carta",
    greeting: "Reciba un cordial saludo:",
    opening: &[
        "Usted nos preguntó quién ha recibido sus datos de parte nuestra. Esta carta es la \
         respuesta. Abarca del {first} al {last}.",
        "La ley le da derecho a recibir esta lista. La primera lista que pida en un plazo de 12 \
         meses es gratis.",
    ],
    list: "Su lista",
    something: &[
        "Estas son todas las veces que le debemos informar. Aquí puede ver cuándo fue, quién \
         recibió sus datos, qué datos fueron y para qué.",
        "La lista dice lo que se podía enviar. Si no había tal dato sobre usted, no se envió.",
    ],
    nothing: &[
        "Revisamos todo lo que compartimos en ese tiempo. No encontramos nada sobre usted que \
         debamos poner hoy en la lista.",
    ],
    when: "Cuándo",
    who: "Quién los recibió",
    what: "Qué datos recibió",
    why: "Para qué",
    law: "Ley que se usó",
    log: "En nuestro registro",
    series: "{times} veces. La primera fue el {first}. La última fue el {last}.",
    entry: "Asiento {entry}, entrega {release}",
    entries: "Asientos {entries}",
    no_address: "No sabemos la dirección.",
    left_out: "Qué no está en esta lista",
    left_out_is: &[
        "La ley no nos obliga a poner en la lista todo lo que compartimos. Por eso no está lo que \
         compartimos:",
    ],
    exclusions: [
        "para darle atención médica, para pagarla o para hacer funcionar el programa;",
        "con usted, o con quien actúa en su nombre;",
        "sin querer, al hacer algo que la ley nos permite;",
        "porque usted nos dio permiso por escrito;",
        "con familiares o amigos que ayudan a cuidar de usted;",
        "para la seguridad del país, como lo permite la ley;",
        "con una cárcel o con la policía mientras usted estaba bajo su custodia;",
        "para un estudio, sin su nombre ni su dirección;",
    ],
    waiting: "cuando la policía, o una oficina que vigila nuestro trabajo, nos pidió por escrito \
              que esperáramos. En ese caso lo ponemos en la lista cuando se cumple el plazo. \
              Todas nuestras cartas dicen esto.",
    next: "Qué puede hacer usted",
    ask: "Preguntarnos. Si algo de esta carta no está claro, llame o escriba: {reach}.",
    ask_by_mail: "Preguntarnos. Si algo de esta carta no está claro, escríbanos a la dirección \
                  de la primera página.",
    or: " o ",
    next_points: &[
        "Pedir que lo corrijamos. Si sus datos están mal, escríbanos y díganos qué hay que cambiar.",
        "Pedir la prueba. Le enviaremos un archivo que muestra lo que anotamos en nuestro \
         registro cada vez que aparece en esta lista.",
        "Presentar una queja. Si usted cree que no cumplimos la ley, díganoslo. También puede \
         acudir a la oficina de abajo. Tiene 180 días desde el día en que se entere.",
    ],
    no_harm: "Nadie puede castigarle por una queja. Su atención y sus beneficios no van a cambiar \
              por eso.",
    check: "Cómo comprobar esta carta",
    check_is: &[
        "Cada vez que compartimos datos, lo anotamos antes de que salgan. Lo anotamos en un \
         registro. Si alguien lo cambia después, se nota.",
        "No tiene que confiar en nosotros. Usted, o alguien que le ayude, puede comprobar la \
         prueba con un programa gratis. No hace falta internet. Pídanos la prueba y las claves \
         de nuestro registro. Luego escriba:",
    ],
    command: "chancery verify-proof PRUEBA --keys CLAVES",
    check_rows: [
        ("Nombre del registro", "{origin}"),
        ("Asientos hasta hoy", "{size}"),
        ("Sello del registro", "{root}"),
    ],
    closing: "Atentamente,",
    civil_rights: "Oficina de Derechos Civiles, Departamento de Salud y Servicios Humanos de EE. UU.",
};
