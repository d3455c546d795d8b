package dev.offload.engine;

import dev.offload.engine.pass.Sequence;
import dev.offload.generation.TokenIds;
import dev.offload.sampling.RowLogits;
import dev.offload.sampling.WantedLogits;
import java.util.Iterator;
import java.util.Optional;

/** Rows of which only the lengths are known. */
final class SimulatedJob implements PassLoop.Job {
  private final Iterator<Forecast.Row> rows;
  private long begun;
  private long finished;

  SimulatedJob(Iterator<Forecast.Row> rows) {
    this.rows = rows;
  }

  @Override
  public Optional<PassLoop.Purpose> next() {
    return rows.hasNext() ? Optional.of(new Output(begun++, rows.next())) : Optional.empty();
  }

  @Override
  public long rowsFinished() {
    return finished;
  }

  /** The output of a row. */
  private final class Output implements PassLoop.Purpose {
    private final long number;
    private final Forecast.Row row;

    Output(long number, Forecast.Row row) {
      this.number = number;
      this.row = row;
    }

    @Override
    public long row() {
      return number;
    }

    @Override
    public TokenIds prompt() {
      return TokenIds.of(new int[row.promptTokens()]);
    }

    @Override
    public TokenIds prefix() {
      return TokenIds.of();
    }

    @Override
    public int mostTokens() {
      return row.promptTokens() + row.mostTokens();
    }

    /** As if it was greedy. */
    @Override
    public WantedLogits wantedLogits() {
      return new WantedLogits(1, false);
    }

    @Override
    public boolean accept(Sequence sequence, RowLogits logits) {
      sequence.append(0);
      boolean isLast = sequence.length() == row.promptTokens() + row.generatedTokens();
      finished += isLast ? 1 : 0;
      return isLast;
    }
  }
}
