//! Where vectors that depend on the state live during a run: buffers shared by those that are never needed together.

use super::tape::{Place, STATE, Slot, Step};

/// The buffer of each slot.
///
/// A slot is needed from the step that writes it to the last that reads it. Its covectors are needed
/// for the same steps in reverse, so one plan serves both directions.
#[derive(Clone, Debug, Default)]
pub(super) struct Plan {
    /// For each slot that depends on the state.
    pub(super) buffer: Vec<usize>,
    /// Numbers a column in each buffer.
    pub(super) lengths: Vec<usize>,
    /// The last step that reads each slot, if any.
    pub(super) last: Vec<Option<usize>>,
}

impl Plan {
    /// For these steps, of which one writes the output.
    pub(super) fn new(slots: &[Slot], steps: &[Step], output: usize) -> Self {
        let mut last = vec![None; slots.len()];
        for (i, step) in steps.iter().enumerate() {
            for input in &step.inputs {
                last[*input] = Some(i);
            }
        }
        let mut plan = Self { buffer: vec![usize::MAX; slots.len()], lengths: Vec::new(), last };
        let mut free: Vec<usize> = Vec::new();
        plan.place(STATE, slots[STATE].length, &mut free);
        for (i, step) in steps.iter().enumerate() {
            if matches!(slots[step.output].place, Place::State) {
                plan.place(step.output, slots[step.output].length, &mut free);
                if plan.last[step.output].is_none() && step.output != output {
                    free.push(plan.buffer[step.output]);
                }
            }
            for (n, input) in step.inputs.iter().enumerate() {
                let again = step.inputs[..n].contains(input);
                if plan.last[*input] == Some(i)
                    && !again
                    && *input != output
                    && matches!(slots[*input].place, Place::State)
                {
                    free.push(plan.buffer[*input]);
                }
            }
        }
        plan
    }

    /// Gives a slot the free buffer that fits it best, or a new one.
    fn place(&mut self, slot: usize, length: usize, free: &mut Vec<usize>) {
        let wasted = |buffer: &usize| self.lengths[*buffer].abs_diff(length);
        let best = free.iter().enumerate().min_by_key(|(_, buffer)| wasted(buffer)).map(|(i, _)| i);
        let buffer = best.map_or_else(
            || {
                self.lengths.push(0);
                self.lengths.len() - 1
            },
            |i| free.swap_remove(i),
        );
        self.lengths[buffer] = self.lengths[buffer].max(length);
        self.buffer[slot] = buffer;
    }
}
