//! What jobs are told of the proxy: the variables that most programs look at, in both cases.

use super::{ProxyError, Routes};
use crate::secret::Secret;
use crate::settings::value::Values;

/// The variables, in pairs of one meaning.
const NAMES: [[&str; 2]; 3] = [
    ["HTTP_PROXY", "http_proxy"],
    ["HTTPS_PROXY", "https_proxy"],
    ["NO_PROXY", "no_proxy"],
];

/// A variable of a job.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct JobVariable {
    /// Its name.
    pub name: &'static str,
    /// Its value.
    pub value: Secret,
    /// What of it must not be seen in output.
    pub hidden: Vec<Secret>,
}

/// The variables that tell a job of the proxy; none where there is no proxy. Of a pair of which the job itself has either one
/// it gets neither: programs differ in which of the two they heed.
///
/// # Errors
/// When there is a proxy, and where it is cannot be read.
pub fn job_variables(
    values: &Values,
    is_set: impl Fn(&str) -> bool,
) -> Result<Vec<JobVariable>, ProxyError> {
    let routes = Routes::of(values)?;
    let Some(address) = routes.address() else {
        return Ok(Vec::new());
    };
    let direct = Secret::new(routes.bypass().list_for_programs());
    let told = [
        (address.url(), address.hidden()),
        (address.url(), address.hidden()),
        (direct, Vec::new()),
    ];
    let pairs = NAMES.into_iter().zip(told);
    Ok(pairs
        .filter(|(names, _)| !names.iter().any(|name| is_set(name)))
        .flat_map(|(names, (value, hidden))| {
            names.map(|name| JobVariable {
                name,
                value: value.clone(),
                hidden: hidden.clone(),
            })
        })
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_is_told_in_both_cases_unless_it_knows_better() {
        let set = Values::typed(&[
            ("proxy.url", "http://ann:p%40ss@10.0.0.33:3128"),
            ("proxy.no_proxy", "*.example.com"),
            ("hostname", "ci.example.org"),
        ]);
        let told = |own: &str| {
            let told = job_variables(&set, |name| name == own).unwrap();
            let names: Vec<&str> = told.iter().map(|one| one.name).collect();
            names.join(" ")
        };
        let all = "HTTP_PROXY http_proxy HTTPS_PROXY https_proxy NO_PROXY no_proxy";
        assert_eq!(told("PATH"), all);
        assert_eq!(
            told("http_proxy"),
            "HTTPS_PROXY https_proxy NO_PROXY no_proxy"
        );
        let told = job_variables(&set, |_| false).unwrap();
        assert_eq!(told[0].value.expose(), "http://ann:p%40ss@10.0.0.33:3128");
        let hidden: Vec<&str> = told[0].hidden.iter().map(Secret::expose).collect();
        assert_eq!(hidden, ["p@ss", "p%40ss", "ann:p@ss"]);
        assert!(told[4].value.expose().contains(",.example.com,"));
        assert!(told[4].hidden.is_empty());
        assert_eq!(job_variables(&Values::typed(&[]), |_| false).unwrap(), []);
    }
}
