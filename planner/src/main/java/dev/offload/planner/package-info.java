/**
 * What lives where and what happens when: plans and schedules as plain data, and how they are made.
 * Knows sizes, never values. The engine and batch jobs use it.
 */
package dev.offload.planner;
