package dev.offload.text.jinja;

/** A parsed expression. Immutable. */
@FunctionalInterface
interface Expression {
  /** The value; Java's null is Jinja's undefined. */
  Object evaluate(Scope scope);
}
