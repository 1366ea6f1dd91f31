//! Threads that take turns: each stops before every step, and a seed says who makes the next one.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Arc, Condvar, Mutex, PoisonError};

use crate::Dice;

/// More steps than any run needs.
const MOST_STEPS: usize = 2_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Running,
    AtGate,
    Done,
}

/// Where everybody stands.
#[derive(Debug)]
struct Board {
    places: Vec<Place>,
    next: Option<usize>,
}

/// The gate that all of them pass.
#[derive(Debug)]
pub(crate) struct Gate(Mutex<Board>, Condvar);

impl Gate {
    /// Waits for one's turn.
    pub(crate) fn pass(&self, who: usize) {
        let mut board = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        board.places[who] = Place::AtGate;
        self.1.notify_all();
        while board.next != Some(who) {
            board = self.1.wait(board).unwrap_or_else(PoisonError::into_inner);
        }
        board.next = None;
        board.places[who] = Place::Running;
    }

    fn finish(&self, who: usize) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).places[who] = Place::Done;
        self.1.notify_all();
    }

    /// Lets one of those at the gate go on, until all are done.
    fn direct(&self, mut dice: Dice) {
        // Some runs change hands at every step, in others one is far ahead of the rest.
        let goes_on = [0, 50, 90, 97][dice.draw(4)];
        let mut last = None;
        let mut board = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for _ in 0..MOST_STEPS {
            while board.next.is_some() || board.places.contains(&Place::Running) {
                board = self.1.wait(board).unwrap_or_else(PoisonError::into_inner);
            }
            let at_gate = |(who, place): (usize, &Place)| (*place == Place::AtGate).then_some(who);
            let ready: Vec<usize> = board.places.iter().enumerate().filter_map(at_gate).collect();
            if ready.is_empty() {
                return;
            }
            let same = last.filter(|last| ready.contains(last) && dice.chance(goes_on));
            last = same.or_else(|| Some(ready[dice.draw(ready.len())]));
            board.next = last;
            self.1.notify_all();
        }
        panic!("they do not come to an end");
    }
}

/// What each of two does, given the gate.
pub(crate) type Part<'a, T> = Box<dyn FnOnce(&Arc<Gate>) -> T + Send + 'a>;

/// Runs them in turns; what they come to, in their order.
pub(crate) fn take_turns<T: Send>(dice: Dice, parts: Vec<Part<'_, T>>) -> Vec<T> {
    let places = vec![Place::Running; parts.len()];
    let gate = Arc::new(Gate(Mutex::new(Board { places, next: None }), Condvar::new()));
    std::thread::scope(|scope| {
        let threads: Vec<_> = parts
            .into_iter()
            .enumerate()
            .map(|(who, part)| {
                let gate = gate.clone();
                scope.spawn(move || {
                    let result = catch_unwind(AssertUnwindSafe(|| part(&gate)));
                    gate.finish(who);
                    result.unwrap_or_else(|panic| resume_unwind(panic))
                })
            })
            .collect();
        gate.direct(dice);
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    })
}
