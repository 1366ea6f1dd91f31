//! Readers that nobody in this project wrote, each a process that stays for many questions.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};

use serde_json::Value;

use super::foreign::{node, python, scripts};

/// A reader that waits for questions.
pub(crate) struct Judge {
    child: Child,
    questions: ChildStdin,
    answers: BufReader<ChildStdout>,
}

static PYTHON: LazyLock<Mutex<Judge>> = LazyLock::new(|| {
    let mut command = Command::new(python("python"));
    command.arg(scripts().join("judge.py"));
    Mutex::new(Judge::start(command))
});

static NODE: LazyLock<Mutex<Judge>> = LazyLock::new(|| {
    let mut command = Command::new(node());
    command.arg(scripts().join("judge.mjs"));
    Mutex::new(Judge::start(command))
});

/// Python's: models of the takers, and readers of their languages.
pub(crate) fn in_python(question: &Value) -> Result<Value, String> {
    held(&PYTHON).ask(question)
}

/// Node's.
pub(crate) fn in_node(question: &Value) -> Result<Value, String> {
    held(&NODE).ask(question)
}

fn held(judge: &'static Mutex<Judge>) -> MutexGuard<'static, Judge> {
    judge.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Judge {
    fn start(mut command: Command) -> Self {
        command.env_clear().env("PATH", "/usr/bin:/bin").env("PYTHONDONTWRITEBYTECODE", "1");
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child =
            command.spawn().unwrap_or_else(|e| panic!("{command:?}: {e}; run `cargo xtask setup`"));
        let questions = child.stdin.take().unwrap();
        let answers = BufReader::new(child.stdout.take().unwrap());
        Self { child, questions, answers }
    }

    fn ask(&mut self, question: &Value) -> Result<Value, String> {
        let mut line = String::new();
        let asked = writeln!(self.questions, "{question}").and_then(|()| self.questions.flush());
        let heard = asked.and_then(|()| self.answers.read_line(&mut line));
        assert!(
            heard.is_ok_and(|read| read > 0),
            "a judge has ended ({:?}); run `cargo xtask setup`",
            self.child.try_wait()
        );
        let answer: Value = serde_json::from_str(&line).unwrap();
        match answer.get("found") {
            Some(found) => Ok(found.clone()),
            None => Err(answer["error"].as_str().unwrap_or("no answer").to_owned()),
        }
    }
}
