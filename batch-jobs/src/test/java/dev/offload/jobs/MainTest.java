package dev.offload.jobs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.PrintWriter;
import java.io.StringWriter;
import org.junit.jupiter.api.Test;

class MainTest {
  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();

  @Test
  void shouldPrintHelpAndVersion() {
    assertEquals(0, run("--help"));
    assertTrue(out.toString().contains("Exit codes:"), out.toString());
    assertEquals(0, run("--version"));
    assertTrue(out.toString().contains("offload "), out.toString());
  }

  @Test
  void shouldRefuseUnknownOptionsWithoutStackTrace() {
    assertEquals(2, run("--no-such-option"));
    assertTrue(err.toString().contains("Unknown option: '--no-such-option'"), err.toString());
    assertTrue(!err.toString().contains("\tat "), err.toString());
  }

  @Test
  void shouldAskForACommand() {
    assertEquals(2, run());
    assertTrue(err.toString().contains("say which command to run"), err.toString());
  }

  private int run(String... args) {
    return Main.run(new PrintWriter(out, true), new PrintWriter(err, true), args);
  }
}
