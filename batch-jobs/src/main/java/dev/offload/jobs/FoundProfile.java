package dev.offload.jobs;

import dev.offload.planner.hardware.HardwareProfile;

/**
 * A machine to plan for, and how well it is known.
 *
 * @param remark for people: measured, estimated, stated by others
 */
record FoundProfile(HardwareProfile profile, String remark) {}
