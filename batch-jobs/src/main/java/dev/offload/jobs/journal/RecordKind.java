package dev.offload.jobs.journal;

import java.util.Optional;

/** Which file a record's payload belongs to. */
public enum RecordKind {
  /** A line of the output file. */
  ANSWER(1),
  /** A line of the error file. */
  ERROR(2);

  private final int code;

  RecordKind(int code) {
    this.code = code;
  }

  /** Its number in the journal. */
  int code() {
    return code;
  }

  static Optional<RecordKind> of(int code) {
    return switch (code) {
      case 1 -> Optional.of(ANSWER);
      case 2 -> Optional.of(ERROR);
      default -> Optional.empty();
    };
  }
}
