package dev.offload.jobs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.OptionalLong;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PassReadsTest {

  @ParameterizedTest
  @CsvSource({
    "0, 10, 20, true", // nothing is read
    "5, 20, 15, true", // what is left holds it all
    "6, 20, 15, false", // it would never hold what comes next
    "1, 10, 20, false" // nothing is left
  })
  void shouldCacheWhatFitsBesideTheBudgets(long bytes, long available, long taken, boolean fits) {
    assertEquals(fits, PassReads.fitsCache(bytes, OptionalLong.of(available), taken));
  }

  @Test
  void shouldCacheWhereTheMachineDoesNotSay() {
    assertTrue(PassReads.fitsCache(1L << 40, OptionalLong.empty(), 0));
  }

  @Test
  void shouldReadWhatTheKernelSays() {
    Stream<String> lines =
        Stream.of("MemTotal:       24576 kB", "MemFree:  1 kB", "MemAvailable:    2048 kB");
    assertEquals(OptionalLong.of(2L << 20), PassReads.parse(lines));
    assertEquals(OptionalLong.empty(), PassReads.parse(Stream.of("MemFree: 1 kB")));
  }
}
