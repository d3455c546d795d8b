package dev.offload.tensors;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Random;
import org.junit.jupiter.api.Test;

class ByteSizeTest {
  @Test
  void shouldFormatWithTwoDigits() {
    assertEquals("1023 B", ByteSize.format(1023));
    assertEquals("1.00 KiB", ByteSize.format(1024));
    assertEquals("1.77 GiB", ByteSize.format(1_900_000_000));
    assertEquals("1.50 MiB", ByteSize.formatUp(3 << 19));
    assertEquals("1.51 MiB", ByteSize.formatUp((3 << 19) + 1));
  }

  @Test
  void shouldNeverReadBackLessThanWhatWasRoundedUp() {
    Random random = new Random(1);
    for (int i = 0; i < 10_000; i++) {
      long bytes = random.nextLong(1L << random.nextInt(1, 50));
      long read = ByteSize.parse(ByteSize.formatUp(bytes));
      assertTrue(read >= bytes && read - bytes <= bytes / 100, bytes + " became " + read);
    }
  }
}
