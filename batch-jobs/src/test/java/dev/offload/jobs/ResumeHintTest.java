package dev.offload.jobs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** What a process says when it is told to end. */
class ResumeHintTest {
  /** The program: {@code interrupted} waits for the signal, {@code done} has finished before. */
  static final class Program {
    private Program() {}

    public static void main(String[] arguments) throws InterruptedException {
      PrintWriter err = new PrintWriter(System.err, true, StandardCharsets.UTF_8);
      try (ResumeHint hint = new ResumeHint(err)) {
        hint.arm();
        System.out.println("ready");
        if (arguments[0].equals("interrupted")) {
          Thread.sleep(60_000);
        }
      }
      System.out.println("closed");
      Thread.sleep(60_000);
    }
  }

  @Test
  void shouldSayHowToGoOnWhenInterrupted() throws Exception {
    Process process = start("interrupted");
    try (BufferedReader out = process.inputReader();
        BufferedReader err = process.errorReader()) {
      assertEquals("ready", out.readLine());
      process.toHandle().destroy();
      assertEquals("", err.readLine());
      String hint = err.readLine();
      assertTrue(hint.contains("--resume"), hint);
      assertTrue(process.waitFor(60, TimeUnit.SECONDS));
    }
  }

  @Test
  void shouldSayNothingOnceTheJobIsDone() throws Exception {
    Process process = start("done");
    try (BufferedReader out = process.inputReader();
        BufferedReader err = process.errorReader()) {
      assertEquals("ready", out.readLine());
      assertEquals("closed", out.readLine());
      process.toHandle().destroy();
      assertNull(err.readLine());
    }
  }

  private static Process start(String mode) throws IOException {
    return new ProcessBuilder(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "-cp",
            System.getProperty("java.class.path"),
            Program.class.getName(),
            mode)
        .start();
  }
}
