package dev.offload.text.jinja;

import com.hubspot.jinjava.Jinjava;
import com.hubspot.jinjava.JinjavaConfig;
import com.hubspot.jinjava.LegacyOverrides;
import com.hubspot.jinjava.interpret.InterpretException;
import com.hubspot.jinjava.interpret.JinjavaInterpreter;
import com.hubspot.jinjava.interpret.TemplateError;
import com.hubspot.jinjava.lib.tag.Tag;
import com.hubspot.jinjava.tree.Node;
import com.hubspot.jinjava.tree.TagNode;
import java.util.Locale;
import java.util.regex.Pattern;

/**
 * Reads templates into jinjava's tree of text, expressions and tags, with the settings of
 * transformers (trim_blocks, lstrip_blocks, no newline at the end). jinjava renders nothing here:
 * it has other ideas than Jinja of truth, undefined values, operator precedence, slices and errors.
 */
final class TemplateSyntax {
  private static final Pattern BLANKS_BEFORE_TAG =
      Pattern.compile("^[^\\S\\n]+(\\{[%#](?!\\+))", Pattern.MULTILINE);

  private TemplateSyntax() {}

  static Node parse(String source) {
    Jinjava jinjava = Holder.JINJAVA;
    JinjavaInterpreter interpreter = jinjava.newInterpreter();
    try {
      Node root = interpreter.parse(normalized(source));
      for (TemplateError error : interpreter.getErrorsCopy()) {
        if (error.getSeverity() == TemplateError.ErrorType.FATAL) {
          throw new TemplateException("line " + error.getLineno() + ": " + error.getMessage());
        }
      }
      return root;
    } catch (InterpretException e) {
      throw new TemplateException(e.getMessage(), e);
    }
  }

  /**
   * What jinjava reads differently, written so that both agree: one newline at the end is dropped;
   * lstrip_blocks takes blanks only where they begin a line (jinjava takes all text of blanks); and
   * a plus sign in a tag switches the trimming off (jinjava does not know it).
   */
  private static String normalized(String source) {
    String unix = source.replace("\r\n", "\n").replace('\r', '\n');
    String text = unix.endsWith("\n") ? unix.substring(0, unix.length() - 1) : unix;
    text = BLANKS_BEFORE_TAG.matcher(text).replaceAll("$1");
    text = text.replace("{%+", "{%").replace("{#+", "{#");
    return text.replace("+%}\n", "%}\n\n").replace("+%}", "%}");
  }

  /** Made at the first template: it takes a good part of a second. */
  private static final class Holder {
    static final Jinjava JINJAVA = newJinjava();

    private static Jinjava newJinjava() {
      Jinjava jinjava =
          new Jinjava(
              JinjavaConfig.newBuilder()
                  .withTrimBlocks(true)
                  .withKeepTrailingNewline(true)
                  .withLegacyOverrides(
                      LegacyOverrides.newBuilder()
                          .withParseWhitespaceControlStrictly(true)
                          .withAllowAdjacentTextNodes(true)
                          .withUseTrimmingForNotesAndExpressions(true)
                          .withHandleBackslashInQuotesOnly(true)
                          .build())
                  .build());
      jinjava.registerTag(new GenerationTag());
      return jinjava;
    }
  }

  /** Marks the assistant's part for training; of no meaning here. */
  private static final class GenerationTag implements Tag {
    private static final long serialVersionUID = 1L;

    @Override
    public String getName() {
      return "generation";
    }

    @Override
    public String getEndTagName() {
      return "end" + getName().toLowerCase(Locale.ROOT);
    }

    @Override
    public String interpret(TagNode node, JinjavaInterpreter interpreter) {
      throw new UnsupportedOperationException("templates are not rendered by jinjava");
    }
  }
}
