//! From the graph to a list of steps over registers.

use super::graph::{Graph, Id, Node};
use super::machine::{Operation, Register, Step, Workspace};
use crate::scalar::Scalar;

/// The steps of a formula.
#[derive(Clone, Debug)]
pub(crate) struct Program {
    /// The variables that are used; their registers have the same numbers.
    inputs: Vec<Register>,
    steps: Vec<Step>,
    /// The last steps, straight to the components.
    ends: Vec<Operation>,
    variables: usize,
    registers: usize,
}

/// Gives the nodes of a graph their registers, which are used again after the last use.
struct Allocator<'a> {
    graph: &'a Graph,
    /// Uses that are still to come.
    uses: Vec<u32>,
    /// Nodes that are computed within the step of the one that uses them.
    fused: Vec<bool>,
    place: Vec<Register>,
    free: Vec<Register>,
    registers: usize,
}

impl Program {
    pub(crate) fn new(graph: &Graph, outputs: &[Id], variables: usize) -> Self {
        let reached = graph.reached(outputs);
        let mut uses = vec![0u32; graph.len()];
        for id in (0..graph.len()).filter(|id| reached[*id]) {
            graph.node(id as Id).operands(|operand| uses[operand as usize] += 1);
        }
        outputs.iter().for_each(|id| uses[*id as usize] += 1);
        let mut allocator = Allocator {
            graph,
            fused: vec![false; graph.len()],
            place: vec![0; graph.len()],
            uses,
            free: Vec::new(),
            registers: variables,
        };
        allocator.fuse(&reached);
        let mut steps = Vec::new();
        let mut is_end = vec![false; graph.len()];
        outputs.iter().for_each(|id| is_end[*id as usize] = allocator.once(*id));
        for id in (0..graph.len()).filter(|id| reached[*id] && !is_end[*id]) {
            allocator.step(id as Id, &mut steps);
        }
        let end = |id: &Id| match graph.node(*id) {
            Node::Number(bits) => Operation::Load(f64::from_bits(bits)),
            Node::Variable(slot) => Operation::Copy(slot),
            node if is_end[*id as usize] => allocator.operation(node, &mut steps),
            _ => Operation::Copy(allocator.place[*id as usize]),
        };
        let ends = outputs.iter().map(end).collect();
        let inputs = (0..graph.len()).filter(|id| reached[*id]).filter_map(|id| {
            match graph.node(id as Id) {
                Node::Variable(slot) => Some(slot),
                _ => None,
            }
        });
        Self { inputs: inputs.collect(), steps, ends, variables, registers: allocator.registers }
    }

    /// Runs the steps.
    pub(crate) fn run<S: Scalar>(
        &self,
        variables: &[S],
        work: &mut Workspace<S>,
        values: &mut [S],
    ) {
        assert_eq!(
            variables.len(),
            self.variables,
            "one number for each slot of the table of names"
        );
        assert_eq!(values.len(), self.ends.len(), "one place for each component of the formula");
        let w = work.registers(self.registers);
        for slot in &self.inputs {
            w[*slot as usize] = variables[*slot as usize];
        }
        for Step { into, operation } in &self.steps {
            operation.run(w, |w, value| w[*into as usize] = value);
        }
        for (operation, component) in self.ends.iter().zip(values) {
            operation.run(w, |_, value| *component = value);
        }
    }
}

impl Allocator<'_> {
    /// Whether a node is used once, by a step that can take it in.
    fn once(&self, id: Id) -> bool {
        self.uses[id as usize] == 1
    }

    fn product(&self, id: Id) -> Option<(Id, Id)> {
        match self.graph.node(id) {
            Node::Mul(a, b) if self.once(id) => Some((a, b)),
            Node::Integer(a, 2) if self.once(id) => Some((a, a)),
            _ => None,
        }
    }

    /// Marks products that a sum takes in, and differences that a product with a number takes in.
    fn fuse(&mut self, reached: &[bool]) {
        let is_number = |id: Id| self.graph.constant(id).is_some();
        let mut fused = vec![false; self.graph.len()];
        for id in (0..self.graph.len()).filter(|id| reached[*id]) {
            let taken = match self.graph.node(id as Id) {
                Node::Add(a, b) if !is_number(a) && !is_number(b) => {
                    let free = |id: &Id| self.product(*id).is_some() && !fused[*id as usize];
                    [b, a].into_iter().find(free)
                }
                Node::Sub(a, b) if !is_number(a) && !is_number(b) => {
                    let right = self.product(b).map(|_| b);
                    right.or_else(|| self.product(a).filter(|(x, _)| !is_number(*x)).map(|_| a))
                }
                Node::Mul(a, b) if is_number(a) && self.once(b) => match self.graph.node(b) {
                    Node::Sub(x, y) if !is_number(x) && !is_number(y) && !self.takes(b, &fused) => {
                        Some(b)
                    }
                    _ => None,
                },
                Node::Neg(a) if self.once(a) => match self.graph.node(a) {
                    Node::Div(x, y) if is_number(y) && !is_number(x) => Some(a),
                    _ => None,
                },
                _ => None,
            };
            // A product that has taken in a difference stays a step of its own.
            if let Some(taken) = taken.filter(|id| !self.takes(*id, &fused)) {
                fused[taken as usize] = true;
            }
        }
        self.fused = fused;
    }

    /// Whether a node has itself taken in one of its operands.
    fn takes(&self, id: Id, fused: &[bool]) -> bool {
        let mut takes = false;
        self.graph.node(id).operands(|operand| takes |= fused[operand as usize]);
        takes
    }

    fn take(&mut self) -> Register {
        self.free.pop().unwrap_or_else(|| {
            self.registers += 1;
            self.registers as Register - 1
        })
    }

    /// The register of an operand, which is loaded when it is a number.
    fn value(&mut self, id: Id, steps: &mut Vec<Step>) -> Register {
        match (self.graph.node(id), self.graph.constant(id)) {
            (Node::Variable(slot), _) => slot,
            (_, Some(number)) => {
                let into = self.take();
                steps.push(Step { into, operation: Operation::Load(number) });
                into
            }
            _ => self.place[id as usize],
        }
    }

    /// Gives back the registers of the operands of a step that were used for the last time.
    fn release(&mut self, id: Id, loaded: &[Register]) {
        let mut gone = Vec::new();
        self.graph.node(id).operands(|operand| gone.push(operand));
        while let Some(operand) = gone.pop() {
            self.uses[operand as usize] -= 1;
            let node = self.graph.node(operand);
            if self.fused[operand as usize] {
                node.operands(|inner| gone.push(inner));
            } else if self.uses[operand as usize] == 0
                && !matches!(node, Node::Variable(_) | Node::Number(_))
            {
                self.free.push(self.place[operand as usize]);
            }
        }
        self.free.extend(loaded);
    }

    fn step(&mut self, id: Id, steps: &mut Vec<Step>) {
        let node = self.graph.node(id);
        if matches!(node, Node::Number(_) | Node::Variable(_)) || self.fused[id as usize] {
            return;
        }
        let before = steps.len();
        let operation = self.operation(node, steps);
        let loaded: Vec<Register> = steps[before..].iter().map(|step| step.into).collect();
        self.release(id, &loaded);
        let into = self.take();
        self.place[id as usize] = into;
        steps.push(Step { into, operation });
    }

    /// The operation of a node that has taken in one of its operands; none of these is a number.
    fn fusion(&self, node: Node) -> Option<Operation> {
        let inner = |id: Id| match self.graph.node(id) {
            Node::Mul(a, b) | Node::Sub(a, b) | Node::Div(a, b) if self.fused[id as usize] => {
                Some((a, b))
            }
            Node::Integer(a, 2) if self.fused[id as usize] => Some((a, a)),
            _ => None,
        };
        let at = |id: Id| match self.graph.node(id) {
            Node::Variable(slot) => slot,
            _ => self.place[id as usize],
        };
        let number = |id: Id| self.graph.constant(id);
        match node {
            Node::Add(a, b) => {
                let ((x, y), rest) =
                    inner(a).map(|m| (m, b)).or_else(|| inner(b).map(|m| (m, a)))?;
                Some(match number(x) {
                    Some(c) => Operation::ScaleAdd(at(y), c, at(rest)),
                    None => Operation::MulAdd(at(x), at(y), at(rest)),
                })
            }
            Node::Sub(a, b) => match (inner(a), inner(b)) {
                (_, Some((x, y))) => Some(match number(x) {
                    Some(c) => Operation::ScaleAdd(at(y), -c, at(a)),
                    None => Operation::SubMul(at(x), at(y), at(a)),
                }),
                (Some((x, y)), None) => Some(Operation::MulSub(at(x), at(y), at(b))),
                _ => None,
            },
            Node::Mul(a, b) => {
                let (x, y) = inner(b)?;
                Some(Operation::ScaleSub(at(x), number(a)?, at(y)))
            }
            Node::Neg(a) => {
                let (x, y) = inner(a)?;
                Some(Operation::Shrink(at(x), -number(y)?))
            }
            _ => None,
        }
    }

    fn operation(&mut self, node: Node, steps: &mut Vec<Step>) -> Operation {
        let graph = self.graph;
        let number = |id: Id| graph.constant(id);
        if let Some(operation) = self.fusion(node) {
            return operation;
        }
        let mut at = |id: Id| self.value(id, steps);
        match node {
            Node::Number(bits) => Operation::Load(f64::from_bits(bits)),
            Node::Variable(slot) => Operation::Copy(slot),
            Node::Add(a, b) => match (number(a), number(b)) {
                (Some(c), _) => Operation::Shift(at(b), c),
                (_, Some(c)) => Operation::Shift(at(a), c),
                _ => Operation::Add(at(a), at(b)),
            },
            Node::Sub(a, b) => match (number(a), number(b)) {
                (Some(c), _) => Operation::From(at(b), c),
                (_, Some(c)) => Operation::Shift(at(a), -c),
                _ => Operation::Sub(at(a), at(b)),
            },
            Node::Mul(a, b) => match number(a) {
                Some(c) => Operation::Scale(at(b), c),
                None => Operation::Mul(at(a), at(b)),
            },
            Node::Div(a, b) => match (number(a), number(b)) {
                (Some(c), _) => Operation::Over(at(b), c),
                (_, Some(c)) => Operation::Shrink(at(a), c),
                _ => Operation::Div(at(a), at(b)),
            },
            Node::Neg(a) => Operation::Neg(at(a)),
            Node::Integer(a, 2) => Operation::Square(at(a)),
            Node::Integer(a, n) => Operation::Integer(at(a), n),
            Node::Power(a, b) => match number(b) {
                Some(p) => Operation::PowerNumber(at(a), p),
                None => Operation::Power(at(a), at(b)),
            },
            Node::Min(a, b) => Operation::Min(at(a), at(b)),
            Node::Max(a, b) => Operation::Max(at(a), at(b)),
            Node::Angle(a, b) => Operation::Angle(at(a), at(b)),
            Node::Apply(function, a) => Operation::Apply(function, at(a)),
            Node::Choose(comparison, parts) => Operation::Choose(comparison, parts.map(at)),
        }
    }
}
