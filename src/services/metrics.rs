//! Figures as OpenMetrics text, version 1.0.0 of the specification. Knows the form, and none of the figures.

use std::fmt::{self, Display, Write};

/// What the answer says of its form.
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// A text in the making: families one after the other, each with its samples.
#[derive(Debug, Default)]
pub struct Exposition(String);

/// Names and values that tell samples of a family apart.
pub type Labels<'a> = &'a [(&'static str, &'a str)];

impl Exposition {
    /// A figure that goes up and down.
    pub fn gauge(&mut self, name: &str, help: &str) -> Samples<'_> {
        self.family(name, "gauge", "", help)
    }

    /// A figure that only grows, until the server starts anew. `name` goes without the `_total` that its samples carry.
    pub fn counter(&mut self, name: &str, help: &str) -> Samples<'_> {
        self.family(name, "counter", "_total", help)
    }

    /// Facts that are worth labels and no figure. `name` goes without the `_info` that its sample carries.
    pub fn info(&mut self, name: &str, help: &str, labels: Labels<'_>) {
        self.family(name, "info", "_info", help).put(labels, 1);
    }

    /// How often something took how long. `bars` are the upper bounds in seconds, each with the number of what took longer
    /// than the bound before and not longer than this one; `beyond` took longer than all.
    pub fn histogram(
        &mut self,
        name: &str,
        help: &str,
        bars: impl IntoIterator<Item = (f64, u64)>,
        beyond: u64,
        sum_s: f64,
    ) {
        self.family(name, "histogram", "", help);
        let mut count = 0;
        for (bound, n) in bars {
            count += n;
            // The canonical form of the specification: always with a point.
            self.line(format_args!("{name}_bucket{{le=\"{bound:?}\"}} {count}"));
        }
        count += beyond;
        self.line(format_args!("{name}_bucket{{le=\"+Inf\"}} {count}"));
        self.line(format_args!("{name}_sum {sum_s}"));
        self.line(format_args!("{name}_count {count}"));
    }

    /// The whole text.
    #[must_use]
    pub fn finish(mut self) -> String {
        self.0.push_str("# EOF\n");
        self.0
    }

    fn family(&mut self, name: &str, kind: &str, suffix: &str, help: &str) -> Samples<'_> {
        let sample = format!("{name}{suffix}");
        self.line(format_args!("# TYPE {name} {kind}"));
        self.line(format_args!("# HELP {name} {}", Escaped(help)));
        Samples { text: self, sample }
    }

    fn line(&mut self, line: fmt::Arguments<'_>) {
        writeln!(self.0, "{line}").expect("a text takes what is written");
    }
}

/// The samples of a family.
#[derive(Debug)]
pub struct Samples<'a> {
    text: &'a mut Exposition,
    sample: String,
}

impl Samples<'_> {
    /// The only sample.
    pub fn value(mut self, value: impl Display) {
        self.put(&[], value);
    }

    /// A sample; answers the family for the next one.
    pub fn with(mut self, labels: Labels<'_>, value: impl Display) -> Self {
        self.put(labels, value);
        self
    }

    /// A sample.
    pub fn put(&mut self, labels: Labels<'_>, value: impl Display) {
        let mut text = String::new();
        for (name, label) in labels {
            let comma = if text.is_empty() { "" } else { "," };
            text += &format!("{comma}{name}=\"{}\"", Escaped(label));
        }
        let sample = &self.sample;
        if text.is_empty() {
            self.text.line(format_args!("{sample} {value}"));
        } else {
            self.text.line(format_args!("{sample}{{{text}}} {value}"));
        }
    }
}

/// Words of others, in which three characters mean something.
struct Escaped<'a>(&'a str);

impl Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.chars().try_for_each(|c| match c {
            '\\' => f.write_str("\\\\"),
            '"' => f.write_str("\\\""),
            '\n' => f.write_str("\\n"),
            c => f.write_char(c),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn families_are_written_as_the_specification_has_them() {
        let mut text = Exposition::default();
        text.info("a_build", "What it is.", &[("version", "1.0")]);
        text.gauge("a_depth", "How deep.").value(7);
        text.counter("a_ends", "How they ended.")
            .with(&[("how", "well"), ("by", "a \"b\"\\\n")], 3)
            .with(&[("how", "badly")], 0);
        text.histogram("a_wait_seconds", "How long.", [(0.1, 2), (1.0, 3)], 1, 12.5);
        let expected = r##"# TYPE a_build info
# HELP a_build What it is.
a_build_info{version="1.0"} 1
# TYPE a_depth gauge
# HELP a_depth How deep.
a_depth 7
# TYPE a_ends counter
# HELP a_ends How they ended.
a_ends_total{how="well",by="a \"b\"\\\n"} 3
a_ends_total{how="badly"} 0
# TYPE a_wait_seconds histogram
# HELP a_wait_seconds How long.
a_wait_seconds_bucket{le="0.1"} 2
a_wait_seconds_bucket{le="1.0"} 5
a_wait_seconds_bucket{le="+Inf"} 6
a_wait_seconds_sum 12.5
a_wait_seconds_count 6
# EOF
"##;
        assert_eq!(text.finish(), expected);
    }
}
