package dev.offload.jobs.rows;

import java.util.Optional;

/**
 * One checked row to be labeled.
 *
 * @param key where it stands and what it is called
 * @param prompt what the label follows
 * @param gold the right label as the row gives it, if it does
 */
public record LabelRow(Row.Key key, Prompt prompt, Optional<String> gold) implements Incoming {}
