package dev.offload.jobs.rows;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.fasterxml.jackson.databind.node.LongNode;
import com.fasterxml.jackson.databind.node.NullNode;
import com.fasterxml.jackson.databind.node.TextNode;
import dev.offload.generation.GenerationResult;
import dev.offload.generation.GenerationResult.Choice;
import dev.offload.generation.GenerationResult.FinishReason;
import dev.offload.generation.GenerationResult.TokenLogprob;
import dev.offload.generation.SamplingParams;
import dev.offload.generation.TokenIds;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class AnswersTest {
  private static final Row.Key KEY = new Row.Key(2, 3, TextNode.valueOf("é"));
  private static final Choice PLAIN =
      new Choice(TokenIds.of(5, 6), "a\nb", FinishReason.STOP, Optional.empty());
  private static final Choice WITH_LOGPROBS =
      new Choice(
          TokenIds.of(5),
          "a",
          FinishReason.LENGTH,
          Optional.of(
              List.of(
                  new TokenLogprob(
                      5,
                      "a",
                      -0.5,
                      List.of(
                          new TokenLogprob(5, "a", -0.5, List.of()),
                          new TokenLogprob(9, "\uFFFD", Double.NEGATIVE_INFINITY, List.of()))))));

  private final Answers answers = new Answers("0af1", 1_700_000_000);

  @Test
  void shouldAnswerSimpleRows() {
    assertEquals(
        "{'id':'é','text':'a\\nb','finish_reason':'stop','usage':{'prompt_tokens':3,"
            + "'completion_tokens':2}}",
        answer(row(RowFormat.SIMPLE, new Prompt.Text("x"), false), PLAIN));
  }

  @Test
  void shouldAnswerWithTokenIdsAndLogprobs() {
    assertEquals(
        "{'id':'é','text':'a','finish_reason':'length','logprobs':{'content':[{'token':'a',"
            + "'logprob':-0.5,'bytes':[97],'top_logprobs':[{'token':'a','logprob':-0.5,"
            + "'bytes':[97]},{'token':'\uFFFD','logprob':-9999.0,'bytes':null}]}],'refusal':null},"
            + "'token_ids':[5],'usage':{'prompt_tokens':3,'completion_tokens':1},"
            + "'prompt_token_ids':[1,2,3]}",
        answer(row(RowFormat.SIMPLE, new Prompt.Text("x"), true), WITH_LOGPROBS));
  }

  @Test
  void shouldAnswerSeveralChoices() {
    assertEquals(
        "{'id':'é','choices':[{'text':'a\\nb','finish_reason':'stop'},{'text':'a\\nb',"
            + "'finish_reason':'stop'}],'usage':{'prompt_tokens':3,'completion_tokens':4}}",
        answer(row(RowFormat.SIMPLE, new Prompt.Text("x"), false), PLAIN, PLAIN));
  }

  @Test
  void shouldAnswerChatCompletions() {
    assertEquals(
        "{'id':'batch_req_0af1-00000002','custom_id':'é','response':{'status_code':200,"
            + "'request_id':'req_0af1-00000002','body':{'id':'chatcmpl-0af1-00000002',"
            + "'object':'chat.completion','created':1700000000,'model':'m','choices':[{'index':0,"
            + "'message':{'role':'assistant','content':'a\\nb','refusal':null},'logprobs':null,"
            + "'finish_reason':'stop'}],'usage':{'prompt_tokens':3,'completion_tokens':2,"
            + "'total_tokens':5}}},'error':null}",
        answer(
            row(RowFormat.OPENAI, new Prompt.Chat(List.of(new ChatMessage("user", "x"))), false),
            PLAIN));
  }

  @Test
  void shouldAnswerTextCompletionsWithLogprobs() {
    assertEquals(
        "{'id':'batch_req_0af1-00000002','custom_id':'é','response':{'status_code':200,"
            + "'request_id':'req_0af1-00000002','body':{'id':'cmpl-0af1-00000002',"
            + "'object':'text_completion','created':1700000000,'model':'m','choices':[{'index':0,"
            + "'text':'a','logprobs':{'tokens':['a'],'token_logprobs':[-0.5],"
            + "'top_logprobs':[{'a':-0.5,'\uFFFD':-9999.0}],'text_offset':[0]},"
            + "'finish_reason':'length','token_ids':[5],'prompt_token_ids':[1,2,3]}],"
            + "'usage':{'prompt_tokens':3,'completion_tokens':1,'total_tokens':4}}},"
            + "'error':null}",
        answer(row(RowFormat.OPENAI, new Prompt.Text("x"), true), WITH_LOGPROBS));
  }

  @Test
  void shouldReportErrorsInTheFormatOfTheFile() {
    assertEquals(
        "{'line':3,'id':12,'error':'bad'}",
        error(new BadRow(new Row.Key(2, 3, LongNode.valueOf(12)), RowFormat.SIMPLE, "bad")));
    assertEquals(
        "{'id':'batch_req_0af1-00000002','custom_id':null,'response':null,"
            + "'error':{'code':'invalid_request','message':'bad'},'line':3}",
        error(new BadRow(new Row.Key(2, 3, NullNode.getInstance()), RowFormat.OPENAI, "bad")));
  }

  private String answer(Row row, Choice... choices) {
    return text(
        answers.answer(row, new GenerationResult(2, TokenIds.of(1, 2, 3), List.of(choices))));
  }

  private String error(BadRow row) {
    return text(answers.error(row));
  }

  private static Row row(RowFormat format, Prompt prompt, boolean returnTokenIds) {
    return new Row(
        KEY, format, "m", prompt, SamplingParams.greedy(4), Optional.empty(), returnTokenIds);
  }

  private static String text(byte[] line) {
    return new String(line, StandardCharsets.UTF_8).replace('"', '\'');
  }
}
