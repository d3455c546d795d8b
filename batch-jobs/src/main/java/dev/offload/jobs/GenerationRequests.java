package dev.offload.jobs;

import dev.offload.generation.GenerationRequest;
import dev.offload.generation.RequestSource;
import java.util.Optional;

/** Rows to generate for, as the engine takes them. */
record GenerationRequests(Requests<GenerationRequest> rows) implements RequestSource {
  @Override
  public Optional<GenerationRequest> next() {
    return rows.next();
  }

  @Override
  public boolean hasMoreNow() {
    return rows.hasMoreNow();
  }
}
