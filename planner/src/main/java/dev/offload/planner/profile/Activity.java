package dev.offload.planner.profile;

import java.util.function.IntConsumer;

/**
 * What a lane does over and over.
 *
 * @param name for people
 * @param hostBytes host memory that one time reads and writes
 * @param cores of the host that it wants
 * @param run does it so many times and returns when it is done
 */
record Activity(String name, double hostBytes, double cores, IntConsumer run) {}
