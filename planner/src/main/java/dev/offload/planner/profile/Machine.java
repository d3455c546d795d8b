package dev.offload.planner.profile;

import java.nio.file.Path;
import java.util.Optional;

/**
 * What is measured, apart from the devices.
 *
 * @param name short name, such as that of the host
 * @param title what it is, for people
 * @param cores of the host
 * @param memoryBytes memory of the host
 * @param temporary folder on the disk that weights would be read from; absent if the disk is not to
 *     be measured
 */
public record Machine(
    String name, String title, int cores, long memoryBytes, Optional<Path> temporary) {}
