package dev.offload.jobs;

import java.util.Optional;

/**
 * The disk that a measurement read weights from.
 *
 * @param ceilingBytesPerSecond what it gives with nothing else going on
 * @param stillCached why files may have been in memory, if they could not be dropped from there
 */
record DiskRate(double ceilingBytesPerSecond, Optional<String> stillCached) {}
