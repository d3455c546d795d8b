package dev.offload.planner.profile;

import dev.offload.planner.hardware.Quantity;

/**
 * Something measured.
 *
 * @param group what it is about, such as {@code copies to the device}
 * @param what which of it, such as {@code 1.00 MiB}
 * @param value in the base unit
 */
public record Figure(String group, String what, double value, Quantity quantity) {}
