/** How long things take and what lanes draw on together, from sizes alone. */
package dev.offload.planner.cost;
