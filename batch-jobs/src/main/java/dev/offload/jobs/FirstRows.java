package dev.offload.jobs;

import dev.offload.jobs.rows.RawRow;
import dev.offload.jobs.rows.RowSource;
import java.io.IOException;
import java.util.Optional;

/** The first rows of others; ends behind them. */
final class FirstRows implements RowSource {
  private final RowSource all;
  private final long most;

  FirstRows(RowSource all, long most) {
    this.all = all;
    this.most = most;
  }

  @Override
  public Optional<RawRow> next() throws IOException {
    return all.rowsRead() < most ? all.next() : Optional.empty();
  }

  @Override
  public long rowsRead() {
    return all.rowsRead();
  }

  @Override
  public long bytesRead() {
    return all.bytesRead();
  }

  @Override
  public void close() throws IOException {
    all.close();
  }
}
