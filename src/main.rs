//! The binary: the server's temporary entry, and the console.
mod console;

use roundel::http::*;
fn main() -> std::process::ExitCode {
    let args: Vec<String> = std::env::args().collect();
    if args.get(1).is_none_or(|a| a.starts_with('-')) {
        return console::from_args(&args[1..]);
    }
    tracing_subscriber::fmt().with_writer(std::io::stderr).init();
    if args[1] == "agent" {
        return roundel::agent::run(std::path::Path::new(&args[3]));
    }
    let rt = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let o = ServeOptions {
        data: args[2].clone().into(),
        auto: args[1] == "auto",
        program: std::env::current_exe().unwrap(),
        nodes: args[3].parse().unwrap(),
        limits: roundel::queue::Limits { per_project: None, total: None },
        job_user: JobUser::Own,
        host_env: vec![],
        deadline_s: 18000,
    };
    match rt.block_on(serve(o, std::future::pending())) {
        Ok(()) => 0.into(),
        Err(e) => {
            eprintln!("{}", roundel::error::Chain(&e));
            3.into()
        }
    }
}
