"""Plain functions over whole numbers, written as LLVM: a small part of Python that means what it means elsewhere.

What there is: `int` (64 bits, signed), `Any` for 64 bits without sign, `bool`, tuples of these as results; assignments,
`if`, `while`, `for … in range(…)`, calls of other such functions and of operations. Numbers wrap around at 64 bits.
Whoever mixes signed and unsigned numbers is told so; nothing is divided, and nothing raises.
"""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Final

SIGNED: Final = "int"
UNSIGNED: Final = "Any"
TRUTH: Final = "bool"
NOTHING: Final = "None"
_ARITHMETIC: Final = {ast.Add: "add", ast.Sub: "sub", ast.Mult: "mul", ast.BitAnd: "and_", ast.BitOr: "or_",
                      ast.BitXor: "xor", ast.LShift: "shl"}  # fmt: skip
_COMPARED: Final = {ast.Eq: "==", ast.NotEq: "!=", ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">="}


@dataclass(frozen=True, slots=True)
class Operation:
    """What LLVM does in a few instructions: `build` gets the builder and the operands."""

    result: str
    parameters: tuple[str, ...]
    build: Callable[..., Any]

    def __call__(self, *_: Any) -> Any:
        """Raise: an operation is no function of the interpreter."""
        raise TypeError("an operation of compiled code is called by compiled code alone")


@dataclass(frozen=True, slots=True)
class Typed:
    """A value of LLVM and what it is."""

    kind: Any
    value: Any


class Unit:
    """A module of LLVM that functions are lowered into, each with those that it calls."""

    def __init__(self, name: str) -> None:
        self.ir = import_module("llvmlite.ir")
        self.module = self.ir.Module(name)
        self.word = self.ir.IntType(64)
        self._known: dict[Any, tuple[Any, Any, list[str]]] = {}

    def type_of(self, kind: Any) -> Any:
        """Give the type of LLVM of a kind."""
        if kind == NOTHING:
            return self.ir.VoidType()
        if isinstance(kind, tuple):
            return self.ir.LiteralStructType([self.type_of(each) for each in kind])
        return self.ir.IntType(1) if kind == TRUTH else self.word

    def lower(self, function: Any, *, entry: bool = False) -> tuple[Any, Any, list[str]]:
        """Lower a function once; gives it with its result and its parameters."""
        if function in self._known:
            return self._known[function]
        notes = {name: str(note) for name, note in function.__annotations__.items()}
        result = _kind_of(notes.pop("return"))
        kinds = [self.type_of(kind) for kind in notes.values()]
        name = function.__name__ if entry else f"{function.__module__}.{function.__name__}"
        made = self.ir.Function(self.module, self.ir.FunctionType(self.type_of(result), kinds), name)
        made.attributes.add("nounwind")
        if not entry:
            made.linkage = "internal"
        for hint in getattr(function, "hints", ()):
            made.attributes.add(hint)
        self._known[function] = made, result, list(notes.values())
        _Body(self, function, made, result, notes).write()
        return self._known[function]


def _kind_of(note: str) -> Any:
    if note.startswith("tuple["):
        return tuple(note[len("tuple[") : -1].split(", "))
    return note


class _Body:
    """The body of one function while it is written."""

    def __init__(
        self, unit: Unit, function: Any, made: Any, result: Any, parameters: Mapping[str, str]
    ) -> None:
        self._unit, self._made, self._result = unit, made, result
        self._names: dict[str, Any] = function.__globals__
        self._source = ast.parse(textwrap.dedent(inspect.getsource(function))).body[0]
        self._where = f"{function.__module__}.{function.__name__}"
        self._first = made.append_basic_block("first")
        self._b = unit.ir.IRBuilder(made.append_basic_block("body"))
        self._slots: dict[str, Typed] = {}
        self._loops: list[tuple[Any, Any]] = []
        for argument, (name, kind) in zip(made.args, parameters.items(), strict=True):
            self._assign(name, Typed(kind, argument))

    def write(self) -> None:
        """Write all of it."""
        body = self._b.block
        assert isinstance(self._source, ast.FunctionDef)  # noqa: S101
        self._statements(self._source.body)
        if not self._b.block.is_terminated:
            if self._result == NOTHING:
                self._b.ret_void()
            else:
                self._b.unreachable()
        self._b.position_at_end(self._first)
        self._b.branch(body)

    def _amiss(self, node: ast.AST, why: str) -> TypeError:
        return TypeError(f"{self._where}, line {getattr(node, 'lineno', 0)} of it: {why}")

    # Statements.

    def _statements(self, nodes: Sequence[ast.stmt]) -> None:
        for node in nodes:
            if self._b.block.is_terminated:
                return
            getattr(self, f"_do_{type(node).__name__.lower()}", self._unknown)(node)

    def _unknown(self, node: ast.AST) -> Any:
        raise self._amiss(node, f"compiled code has no {type(node).__name__}")

    def _do_expr(self, node: ast.Expr) -> None:
        if not isinstance(node.value, ast.Constant):  # a docstring
            self._value(node.value)

    def _do_pass(self, _node: ast.Pass) -> None:
        pass

    def _do_assign(self, node: ast.Assign) -> None:
        value = self._value(node.value)
        (target,) = node.targets
        if isinstance(target, ast.Tuple):
            for number, each in enumerate(target.elts):
                assert isinstance(each, ast.Name)  # noqa: S101
                self._assign(
                    each.id, Typed(value.kind[number], self._b.extract_value(value.value, number)), node
                )
            return
        assert isinstance(target, ast.Name)  # noqa: S101
        self._assign(target.id, value, node)

    def _do_annassign(self, node: ast.AnnAssign) -> None:
        assert isinstance(node.target, ast.Name)  # noqa: S101
        assert node.value is not None  # noqa: S101
        self._assign(node.target.id, self._value(node.value), node)

    def _do_augassign(self, node: ast.AugAssign) -> None:
        assert isinstance(node.target, ast.Name)  # noqa: S101
        before = self._read(node.target)
        self._assign(node.target.id, self._joined(node, node.op, before, self._value(node.value)), node)

    def _assign(self, name: str, value: Typed, node: ast.AST | None = None) -> None:
        slot = self._slots.get(name)
        if slot is None:
            kind = SIGNED if value.kind == TRUTH and node is None else value.kind
            with self._b.goto_block(self._first):
                slot = Typed(kind, self._b.alloca(self._unit.type_of(kind), name=name))
            self._slots[name] = slot
        self._b.store(self._as(slot.kind, value, node or self._source).value, slot.value)

    def _do_return(self, node: ast.Return) -> None:
        if node.value is None:
            self._b.ret_void()
        elif isinstance(node.value, ast.Tuple):
            made = self._unit.ir.Constant(self._unit.type_of(self._result), self._unit.ir.Undefined)
            for number, each in enumerate(node.value.elts):
                value = self._as(self._result[number], self._value(each), node).value
                made = self._b.insert_value(made, value, number)
            self._b.ret(made)
        else:
            self._b.ret(self._as(self._result, self._value(node.value), node).value)

    def _do_if(self, node: ast.If) -> None:
        test = self._truth(node.test)
        with self._b.if_else(test) as (then, other):
            with then:
                self._statements(node.body)
            with other:
                self._statements(node.orelse)
        self._close()

    def _close(self) -> None:
        """End a block that nothing reaches: both ways to it returned."""
        if not any(
            block.terminator and self._b.block in block.terminator.operands for block in self._made.blocks
        ):
            self._b.unreachable()

    def _do_while(self, node: ast.While) -> None:
        head, body, end = (self._b.append_basic_block(name) for name in ("head", "body", "end"))
        self._b.branch(head)
        self._b.position_at_end(head)
        if isinstance(node.test, ast.Constant):
            self._b.branch(body)
        else:
            self._b.cbranch(self._truth(node.test), body, end)
        self._looped(node.body, body, head, end)

    def _looped(self, nodes: Sequence[ast.stmt], body: Any, again: Any, end: Any) -> None:
        self._loops.append((again, end))
        self._b.position_at_end(body)
        self._statements(nodes)
        if not self._b.block.is_terminated:
            self._b.branch(again)
        self._loops.pop()
        self._b.position_at_end(end)

    def _do_break(self, _node: ast.Break) -> None:
        self._b.branch(self._loops[-1][1])

    def _do_continue(self, _node: ast.Continue) -> None:
        self._b.branch(self._loops[-1][0])

    def _do_for(self, node: ast.For) -> None:
        assert isinstance(node.iter, ast.Call)  # noqa: S101
        assert isinstance(node.target, ast.Name)  # noqa: S101
        bounds = [self._as(SIGNED, self._value(each), node).value for each in node.iter.args]
        first, last = bounds if len(bounds) == 2 else (self._unit.word(0), bounds[0])
        head, body, step, end = (self._b.append_basic_block(name) for name in ("head", "body", "step", "end"))
        with self._b.goto_block(self._first):
            counter = self._b.alloca(self._unit.word)
        self._b.store(first, counter)
        self._b.branch(head)
        self._b.position_at_end(head)
        now = self._b.load(counter)
        self._b.cbranch(self._b.icmp_signed("<", now, last), body, end)
        self._b.position_at_end(body)
        self._assign(node.target.id, Typed(SIGNED, now), node)
        self._looped(node.body, body, step, end)
        self._b.position_at_end(step)
        self._b.store(self._b.add(self._b.load(counter), self._unit.word(1)), counter)
        self._b.branch(head)
        self._b.position_at_end(end)

    # Expressions.

    def _value(self, node: ast.expr) -> Typed:
        made: Typed = getattr(self, f"_of_{type(node).__name__.lower()}", self._unknown)(node)
        return made

    def _truth(self, node: ast.expr) -> Any:
        return self._as(TRUTH, self._value(node), node).value

    def _as(self, kind: Any, value: Typed, node: ast.AST) -> Typed:
        """Give a value as another kind, where that changes nothing."""
        if value.kind == kind:
            return value
        if kind == TRUTH:
            return Typed(TRUTH, self._b.icmp_unsigned("!=", value.value, self._unit.word(0)))
        if value.kind == TRUTH and kind == SIGNED:
            return Typed(SIGNED, self._b.zext(value.value, self._unit.word))
        raise self._amiss(node, f"{value.kind} where {kind} is needed")

    def _known(self, node: ast.expr) -> Any:
        """Give what a name or an attribute stands for outside the function."""
        if isinstance(node, ast.Attribute):
            return getattr(self._known(node.value), node.attr)
        assert isinstance(node, ast.Name)  # noqa: S101
        if node.id in self._names:
            return self._names[node.id]
        return getattr(import_module("builtins"), node.id)

    def _constant(self, value: Any, node: ast.AST) -> Typed:
        if isinstance(value, bool):
            return Typed(TRUTH, self._unit.ir.IntType(1)(int(value)))
        if isinstance(value, int):
            return Typed(SIGNED, self._unit.word(value))
        if type(value).__name__ == "uint64":
            return Typed(UNSIGNED, self._unit.word(int(value)))
        raise self._amiss(node, f"{value!r} is no number")

    def _of_constant(self, node: ast.Constant) -> Typed:
        return self._constant(node.value, node)

    def _of_name(self, node: ast.Name) -> Typed:
        return self._read(node) if node.id in self._slots else self._constant(self._known(node), node)

    def _read(self, node: ast.Name) -> Typed:
        slot = self._slots[node.id]
        return Typed(slot.kind, self._b.load(slot.value))

    def _of_binop(self, node: ast.BinOp) -> Typed:
        return self._joined(node, node.op, self._value(node.left), self._value(node.right))

    def _joined(self, node: ast.AST, how: ast.operator, one: Typed, two: Typed) -> Typed:
        if one.kind == two.kind == TRUTH and isinstance(how, ast.BitAnd | ast.BitOr | ast.BitXor):
            return Typed(TRUTH, getattr(self._b, _ARITHMETIC[type(how)])(one.value, two.value))
        one, two = (self._as(SIGNED, each, node) if each.kind == TRUTH else each for each in (one, two))
        if one.kind != two.kind:
            raise self._amiss(node, f"{one.kind} and {two.kind} do not mix")
        if isinstance(how, ast.RShift):
            shift = self._b.ashr if one.kind == SIGNED else self._b.lshr
            return Typed(one.kind, shift(one.value, two.value))
        return Typed(one.kind, getattr(self._b, _ARITHMETIC[type(how)])(one.value, two.value))

    def _of_unaryop(self, node: ast.UnaryOp) -> Typed:
        if isinstance(node.op, ast.Not):
            return Typed(TRUTH, self._b.not_(self._truth(node.operand)))
        value = self._value(node.operand)
        return Typed(
            value.kind,
            self._b.neg(value.value) if isinstance(node.op, ast.USub) else self._b.not_(value.value),
        )

    def _of_boolop(self, node: ast.BoolOp) -> Typed:
        """Join truths; what follows is looked at only where it decides."""
        ends = isinstance(node.op, ast.Or)
        with self._b.goto_block(self._first):
            slot = self._b.alloca(self._unit.ir.IntType(1))
        done = self._b.append_basic_block("done")
        for each in node.values[:-1]:
            test = self._truth(each)
            self._b.store(test, slot)
            more = self._b.append_basic_block("more")
            self._b.cbranch(test, *((done, more) if ends else (more, done)))
            self._b.position_at_end(more)
        self._b.store(self._truth(node.values[-1]), slot)
        self._b.branch(done)
        self._b.position_at_end(done)
        return Typed(TRUTH, self._b.load(slot))

    def _of_ifexp(self, node: ast.IfExp) -> Typed:
        slot: Typed | None = None
        with self._b.if_else(self._truth(node.test)) as ways:
            for way, each in zip(ways, (node.body, node.orelse), strict=True):
                with way:
                    value = self._value(each)
                    if slot is None:
                        with self._b.goto_block(self._first):
                            slot = Typed(value.kind, self._b.alloca(self._unit.type_of(value.kind)))
                    self._b.store(self._as(slot.kind, value, node).value, slot.value)
        assert slot is not None  # noqa: S101
        return Typed(slot.kind, self._b.load(slot.value))

    def _of_compare(self, node: ast.Compare) -> Typed:
        one, found = self._value(node.left), None
        for how, other in zip(node.ops, node.comparators, strict=True):
            if isinstance(how, ast.In | ast.NotIn):
                assert isinstance(other, ast.Tuple)  # noqa: S101
                test = self._unit.ir.IntType(1)(0)
                for each in other.elts:
                    test = self._b.or_(test, self._compared("==", one, self._value(each), node))
                test = self._b.not_(test) if isinstance(how, ast.NotIn) else test
            else:
                two = self._value(other)
                test = self._compared(_COMPARED[type(how)], one, two, node)
                one = two
            found = test if found is None else self._b.and_(found, test)
        return Typed(TRUTH, found)

    def _compared(self, how: str, one: Typed, two: Typed, node: ast.AST) -> Any:
        if one.kind != two.kind:
            one, two = (self._as(SIGNED, each, node) for each in (one, two))
        compare = self._b.icmp_signed if one.kind == SIGNED else self._b.icmp_unsigned
        return compare(how, one.value, two.value)

    def _of_subscript(self, node: ast.Subscript) -> Typed:
        value = self._value(node.value)
        assert isinstance(node.slice, ast.Constant)  # noqa: S101
        return Typed(value.kind[node.slice.value], self._b.extract_value(value.value, node.slice.value))

    def _of_call(self, node: ast.Call) -> Typed:
        called = self._known(node.func)
        given = [self._value(each) for each in node.args]
        if called in (min, max):
            return self._chosen("<" if called is min else ">", given, node)
        if called is bool or called is int:
            return self._as(TRUTH if called is bool else SIGNED, given[0], node)
        if getattr(called, "__name__", "") in ("uint64", "int64") and isinstance(called, type):
            (value,) = given
            value = self._as(SIGNED, value, node) if value.kind == TRUTH else value
            return Typed(UNSIGNED if called.__name__ == "uint64" else SIGNED, value.value)
        if isinstance(called, Operation):
            operands = [
                self._as(kind, each, node).value for kind, each in zip(called.parameters, given, strict=True)
            ]
            return Typed(called.result, called.build(self._b, *operands))
        made, result, kinds = self._unit.lower(called)
        operands = [self._as(kind, each, node).value for kind, each in zip(kinds, given, strict=True)]
        return Typed(result, self._b.call(made, operands))

    def _chosen(self, how: str, given: Sequence[Typed], node: ast.AST) -> Typed:
        best = given[0]
        for each in given[1:]:
            test = self._compared(how, each, best, node)
            best = Typed(best.kind, self._b.select(test, each.value, best.value))
        return best
