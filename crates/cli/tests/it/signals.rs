//! G42, V31: signals at any moment. Nothing is lost, the terminal is as it was, the listener is
//! gone, and the exit code is the usual one.

use std::net::TcpStream;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::support::counts::counts;
use crate::support::http;
use crate::support::instance::{Consent, Instance, PROFILE, free_redirect_uri, log_in};
use crate::support::process::{PATIENCE, Running, is_authorization_url};
use crate::support::pty::{Session, Terminal, plain};
use crate::support::sandbox::Sandbox;
use crate::support::stand_in::StandIn;

/// Those that end a program, one that must not, and one that stops it for a while.
const SIGNALS: [Signal; 6] =
    [Signal::INT, Signal::TERM, Signal::HUP, Signal::QUIT, Signal::PIPE, Signal::TSTP];

fn logged_in(redirect_uri: &str) -> (StandIn, Sandbox) {
    let (instance, sandbox) = (StandIn::start(redirect_uri, &[]), Sandbox::new());
    log_in(&sandbox, &instance);
    (instance, sandbox)
}

/// Sends it; whoever was stopped goes on a moment later, also if it only gets to stop after that.
fn send(pid: u32, signal: Signal) {
    let pid = Pid::from_raw(i32::try_from(pid).unwrap()).unwrap();
    // It may have ended by itself already.
    let _ = kill_process(pid, signal);
    if signal == Signal::TSTP {
        std::thread::sleep(Duration::from_millis(15));
        let _ = kill_process(pid, Signal::CONT);
        std::thread::spawn(move || {
            for _ in 0..100 {
                std::thread::sleep(Duration::from_millis(50));
                if is_stopped(pid) {
                    let _ = kill_process(pid, Signal::CONT);
                }
            }
        });
    }
}

fn is_stopped(pid: Pid) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{}/status", pid.as_raw_nonzero()));
    status.is_ok_and(|text| text.contains("State:\tT"))
}

/// Moments spread over `span`, never the same twice.
fn moment(round: usize, span: Duration) -> Duration {
    let round = u32::try_from(round).unwrap();
    span.mul_f64((f64::from(round) * 0.618_033_988_75).fract())
}

fn ends(signal: Signal) -> bool {
    signal != Signal::PIPE && signal != Signal::TSTP
}

/// Nothing was lost: the tokens that were there are handed out, and live.
#[track_caller]
fn assert_kept(instance: &StandIn, sandbox: &Sandbox, context: &str) {
    let outcome = sandbox.run(&["token", PROFILE]);
    assert_eq!(outcome.code, Some(0), "{context}: {outcome:#?}");
    assert!(instance.is_alive(&outcome.token()), "{context}");
}

#[test]
fn g42_signals_at_any_moment_of_a_command_lose_nothing() {
    let (instance, sandbox) = logged_in("https://us-west-2.console.aws.amazon.com/appflow/oauth");
    let commands: [&[&str]; 3] = [
        &["refresh", PROFILE],
        &["token", PROFILE, "--min-valid", "1m"],
        &["exec", PROFILE, "--", "sleep", "0.01"],
    ];
    let started = Instant::now();
    sandbox.run(commands[0]).ok();
    let span = started.elapsed() * 3 / 2;
    for round in 0..counts(150, 4_000) {
        let (command, signal) = (commands[round % 3], SIGNALS[round / 3 % 6]);
        let after = moment(round, span);
        let status = signalled(sandbox.command(command), signal, after);
        let context = format!("round {round}, {command:?}, {signal:?}, {after:?}: {status:?}");
        // The program that `exec` becomes has the usual ways, also with a broken pipe.
        let may_end = ends(signal) || command[0] == "exec" && signal == Signal::PIPE;
        let by_it = status.signal() == Some(signal.as_raw()) && may_end;
        assert!(by_it || status.code() == Some(0), "{context}");
        assert_kept(&instance, &sandbox, &context);
    }
    sandbox.run(&["refresh", PROFILE]).ok();
}

/// How a command ends that gets a signal after a while.
fn signalled(mut command: Command, signal: Signal, after: Duration) -> ExitStatus {
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = command.spawn().unwrap();
    if signal == Signal::PIPE {
        wait_for_indifference(child.id());
    }
    std::thread::sleep(after);
    send(child.id(), signal);
    let end = Instant::now() + PATIENCE;
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return status;
        }
        if Instant::now() > end {
            child.kill().unwrap();
            panic!("it did not end: {:?}", child.wait());
        }
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// Before its first line runs a program has not said yet that it does not mind a broken pipe.
fn wait_for_indifference(pid: u32) {
    let status = format!("/proc/{pid}/status");
    let ignores = |text: String| {
        // Ended already: nothing to wait for.
        if text.contains("State:\tZ") {
            return true;
        }
        let mask = text.lines().find_map(|line| line.strip_prefix("SigIgn:")).map(str::trim);
        mask.is_some_and(|mask| u64::from_str_radix(mask, 16).unwrap() & 1 << 12 != 0)
    };
    let end = Instant::now() + PATIENCE;
    while !std::fs::read_to_string(&status).is_ok_and(ignores) && Instant::now() < end {
        std::thread::yield_now();
    }
}

#[test]
fn g42_signals_at_any_moment_of_a_login_leave_terminal_and_port_as_they_were() {
    let redirect_uri = free_redirect_uri();
    let (instance, sandbox) = logged_in(&redirect_uri);
    let port = url::Url::parse(&redirect_uri).unwrap().port().unwrap();
    for round in 0..counts(50, 1_000) {
        let signal = SIGNALS[round % 6];
        let command = sandbox.command(&["login", PROFILE, "--no-browser"]);
        let mut terminal = Terminal::start(&command, 100);
        if signal == Signal::PIPE {
            wait_for_indifference(terminal.pid());
        }
        // Half of them around the start, half while a person types.
        if round / 6 % 2 == 0 {
            std::thread::sleep(moment(round, Duration::from_millis(120)));
        } else {
            prompted(&terminal);
            terminal.keys("https://us-west");
        }
        send(terminal.pid(), signal);
        if !ends(signal) {
            go_through(&mut terminal, &instance);
        }
        let session = terminal.finish();
        check(&session, signal, &format!("round {round}, {signal:?}: {}", session.text()));
        assert!(TcpStream::connect(("127.0.0.1", port)).is_err(), "the listener is still there");
        assert_kept(&instance, &sandbox, &format!("round {round}, {signal:?}"));
    }
    sandbox.run(&["refresh", PROFILE]).ok();
}

/// The authorization URL, once the prompt is there.
fn prompted(terminal: &Terminal) -> String {
    terminal.wait(|text| {
        let text = plain(text);
        let url = text.lines().find(|line| is_authorization_url(line))?.to_owned();
        text.contains("Enter the redirected URL:").then_some(url)
    })
}

/// The browser comes back to the listener.
fn go_through(terminal: &mut Terminal, instance: &StandIn) {
    let url = prompted(terminal);
    http::get(&instance.consent(&url, Consent::Allow));
}

#[track_caller]
fn check(session: &Session, signal: Signal, context: &str) {
    assert!(session.restored, "the terminal is left changed: {context}");
    let number = signal.as_raw();
    if ends(signal) {
        // Before the prompt the system ends it, afterwards we do.
        let usual = session.signal == Some(number) || session.code == Some(128 + number);
        assert!(usual, "{:?} {:?}: {context}", session.code, session.signal);
    } else {
        assert_eq!(session.code, Some(0), "{context}");
    }
}

#[test]
fn v43_a_prompt_that_was_stopped_shows_no_secret_when_it_goes_on() {
    let (instance, sandbox) = logged_in("https://us-west-2.console.aws.amazon.com/appflow/oauth");
    let mut command = sandbox.command(&["login", "other", "--instance", &instance.origin()]);
    command.args(["--client-id", &instance.client_id(), "--region", "us-west-2", "--no-browser"]);
    let mut terminal = Terminal::start(&command, 100);
    terminal.wait(|text| plain(text).to_lowercase().contains("client secret").then_some(()));
    echo_becomes(&terminal, false);
    let pid = Pid::from_raw(i32::try_from(terminal.pid()).unwrap()).unwrap();
    kill_process(pid, Signal::TSTP).unwrap();
    // The shell gets a terminal that shows what is typed.
    echo_becomes(&terminal, true);
    kill_process(pid, Signal::CONT).unwrap();
    echo_becomes(&terminal, false);
    terminal.keys("typed-in-secret-4711");
    std::thread::sleep(Duration::from_millis(50));
    terminal.keys("\x03");
    let session = terminal.finish();
    assert_eq!(session.code, Some(130), "{}", session.text());
    assert!(session.restored && !session.text().contains("typed-in"), "{}", session.text());
}

#[track_caller]
fn echo_becomes(terminal: &Terminal, wanted: bool) {
    let end = Instant::now() + Duration::from_secs(5);
    while terminal.echoes() != wanted {
        assert!(Instant::now() < end, "echo never became {wanted}: {}", terminal.text());
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn v31_a_stopped_refresh_delays_others_for_a_bounded_time() {
    let (instance, sandbox) = logged_in("https://us-west-2.console.aws.amazon.com/appflow/oauth");
    instance.set("fault.path=/oauth_token.do");
    instance.set("fault.kind=stall");
    let asked = instance.token_requests().len();
    let holder = Running::start(sandbox.command(&["refresh", PROFILE]));
    let end = Instant::now() + Duration::from_secs(10);
    while instance.token_requests().len() == asked {
        assert!(Instant::now() < end, "it never asked");
        std::thread::sleep(Duration::from_millis(5));
    }
    let pid = Pid::from_raw(i32::try_from(holder.pid()).unwrap()).unwrap();
    kill_process(pid, Signal::STOP).unwrap();
    instance.set("fault.kind=none");
    // Whoever needs no refresh is not held up.
    let started = Instant::now();
    assert_kept(&instance, &sandbox, "while the holder is stopped");
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
    let started = Instant::now();
    let (outcome, code) = sandbox.run(&["refresh", PROFILE]).failed_with(&[5]);
    assert!(started.elapsed() <= Duration::from_secs(35), "{:?}", started.elapsed());
    assert_eq!(code.as_deref(), Some("lock-timeout"), "{outcome:#?}");
    assert!(
        outcome.stderr.starts_with("error: another process holds the lock of profile \"p\"\n"),
        "{outcome:#?}"
    );
    // Killed while it is stopped, it delays nobody any more.
    holder.kill();
    let started = Instant::now();
    sandbox.run(&["refresh", PROFILE]).ok();
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
}
