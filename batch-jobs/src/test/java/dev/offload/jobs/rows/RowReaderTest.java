package dev.offload.jobs.rows;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.offload.generation.SamplingParams;
import dev.offload.generation.TokenIds;
import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.LongPredicate;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RowReaderTest {
  private static final String CHAT_ROW =
      "{\"custom_id\":\"c\",\"method\":\"POST\",\"url\":\"/v1/chat/completions\",\"body\":"
          + "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]%s}}";

  @TempDir private Path folder;

  @Test
  void shouldReadASimpleRowWithDefaults() throws Exception {
    Row row = good("{\"prompt\":\"hello\"}");
    assertEquals(new Prompt.Text("hello"), row.prompt());
    assertEquals("1", row.key().id().toString());
    assertEquals(SamplingParams.greedy(256), row.sampling());
    assertEquals(RowFormat.SIMPLE, row.format());
  }

  @Test
  void shouldReadEverySamplingParameter() throws Exception {
    Row row =
        good(
            "{'id':7,'prompt':[1,2],'temperature':0.5,'top_p':0.9,'top_k':-1,'min_p':0.1,"
                + "'repetition_penalty':1.1,'presence_penalty':-1,'frequency_penalty':2,"
                + "'logit_bias':{'3':-100},'seed':-5,'max_tokens':9,'min_tokens':2,"
                + "'ignore_eos':true,'stop':['a','b'],'stop_token_ids':[4],'n':3,'logprobs':true,"
                + "'top_logprobs':2,'return_token_ids':true}");
    assertEquals(new Prompt.Tokens(TokenIds.of(1, 2)), row.prompt());
    assertEquals(
        new SamplingParams(
            0.5,
            0.9,
            0,
            0.1,
            1.1,
            -1,
            2,
            Map.of(3, -100.0),
            OptionalLong.of(-5),
            9,
            2,
            true,
            List.of("a", "b"),
            List.of(4),
            3,
            2),
        row.sampling());
    assertEquals(true, row.returnTokenIds());
  }

  @Test
  void shouldReadWhatTheAnswersTextMustBe() throws Exception {
    assertEquals(Optional.empty(), good("{'prompt':'a'}").constraint());
    assertEquals(
        Optional.empty(), good("{'prompt':'a','response_format':{'type':'text'}}").constraint());
    assertTrue(good("{'prompt':'a','regex':'x'}").constraint().isPresent());
    assertTrue(
        good("{'prompt':'a','response_format':{'type':'json_object'}}").constraint().isPresent());
    String schema =
        ",'response_format':{'type':'json_schema','json_schema':{'name':'n','strict':true,"
            + "'schema':{'type':'object','properties':{},'additionalProperties':false}}}";
    assertTrue(good(CHAT_ROW.formatted(schema)).constraint().isPresent());
    String row = "{'prompt':'a'%s}".formatted(schema);
    List<Incoming> same = read(row + "\n" + row);
    assertSame(
        assertInstanceOf(Row.class, same.get(0)).constraint().orElseThrow(),
        assertInstanceOf(Row.class, same.get(1)).constraint().orElseThrow());
  }

  @Test
  void shouldReadConversations() throws Exception {
    Row row =
        good(
            "{'messages':[{'role':'system','content':'s'},"
                + "{'role':'user','content':[{'type':'text','text':'a'},"
                + "{'type':'text','text':'b'}]}]}");
    assertEquals(
        new Prompt.Chat(List.of(new ChatMessage("system", "s"), new ChatMessage("user", "a\nb"))),
        row.prompt());
  }

  @Test
  void shouldPassToolsAndTheirCallsOn() throws Exception {
    Row row =
        good(
            "{'messages':[{'role':'user','name':'Ann','content':'x'},"
                + "{'role':'assistant','content':null,'tool_calls':[{'id':'c1','type':'function',"
                + "'function':{'name':'add','arguments':'{\\'a\\':[1,2.5,null]}'}}]},"
                + "{'role':'tool','tool_call_id':'c1','content':[{'type':'text','text':'3'}]}],"
                + "'tools':[{'type':'function','function':{'name':'add','strict':true}}]}");
    Map<String, Object> arguments = Map.of("a", Arrays.asList(1L, 2.5, null));
    Map<String, Object> call =
        Map.of(
            "id",
            "c1",
            "type",
            "function",
            "function",
            Map.of("name", "add", "arguments", arguments));
    Map<String, Object> tool =
        Map.of("type", "function", "function", Map.of("name", "add", "strict", true));
    assertEquals(
        new Prompt.Chat(
            List.of(
                new ChatMessage("user", "x", Map.of("name", "Ann")),
                new ChatMessage("assistant", null, Map.of("tool_calls", List.of(call))),
                new ChatMessage("tool", "3", Map.of("tool_call_id", "c1"))),
            List.of(tool)),
        row.prompt());
    Row without =
        good(
            "{'messages':[{'role':'user','content':'x'}],'tool_choice':'none',"
                + "'tools':[{'type':'function','function':{'name':'add'}}]}");
    assertEquals(new Prompt.Chat(List.of(new ChatMessage("user", "x"))), without.prompt());
  }

  @Test
  void shouldReadOpenAiRowsWithOpenAiDefaults() throws Exception {
    Row chat = good(CHAT_ROW.formatted(",\"stream\":false,\"user\":\"me\",\"tools\":[]"));
    assertEquals(RowFormat.OPENAI, chat.format());
    assertEquals("m", chat.model());
    assertEquals(1, chat.sampling().temperature());
    Row text =
        good(
            "{'custom_id':'t','method':'POST','url':'/v1/completions',"
                + "'body':{'model':'m','prompt':'x','temperature':0,'logprobs':0}}");
    assertEquals(new Prompt.Text("x"), text.prompt());
    assertEquals(0, text.sampling().logprobs());
  }

  @Test
  void shouldRefuseDuplicateIdsNamingBothLines() throws Exception {
    List<Incoming> rows = read("{'id':'x','prompt':'a'}\n{'prompt':'b'}\n{'id':'x','prompt':'c'}");
    BadRow bad = assertInstanceOf(BadRow.class, rows.get(2));
    assertEquals("id \"x\" was given before, on line 1", bad.reason());
    assertEquals(3, bad.key().line());
  }

  @Test
  void shouldRefuseTheOtherFormatLater() throws Exception {
    List<Incoming> rows = read("broken\n{'prompt':'a'}\n" + CHAT_ROW.formatted(""));
    assertInstanceOf(BadRow.class, rows.get(0));
    assertInstanceOf(Row.class, rows.get(1));
    assertEquals(
        "the row is written as OpenAI batch row, but the file began with simple row on line 2",
        assertInstanceOf(BadRow.class, rows.get(2)).reason());
  }

  @Test
  void shouldKnowTheIdsOfSkippedRows() throws Exception {
    String text = json("{'id':'x','prompt':'a'}\n{'id':'y','prompt':'a'}\n{'id':'x','prompt':'a'}");
    List<Incoming> rows = read(text, row -> row < 2);
    assertEquals(1, rows.size());
    BadRow bad = assertInstanceOf(BadRow.class, rows.getFirst());
    assertEquals("id \"x\" was given before, on line 1", bad.reason());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '^',
      maxCharsPerColumn = 20_000,
      value = {
        "{'prompt':'a'|broken JSON at column",
        "{'prompt':'a'} x|broken JSON at column",
        "{'prompt':'a','prompt':'b'}|Duplicate field 'prompt'",
        "{'prompt':NaN}|Non-standard token 'NaN'",
        "[1]|the row is an array, must be an object",
        "'text'|the row is the text \"text\", must be an object",
        "null|the row is null, must be an object",
        "{}|the row has neither prompt nor messages",
        "{'prompt':null}|the row has neither prompt nor messages",
        "{'prompt':'a','messages':[]}|the row has both prompt and messages",
        "{'prompt':''}|prompt is empty",
        "{'prompt':[]}|prompt is empty",
        "{'prompt':5}|prompt is 5, must be a text or an array of token ids",
        "{'prompt':['a','b']}|prompt is an array of the text \"a\" and the like; one row takes one",
        "{'prompt':[1,2.5]}|prompt[1] is 2.5, must be a whole number that fits 32 bits",
        "{'prompt':[5000000000]}|prompt[0] is 5000000000, must be a whole number that fits 32 bits",
        "{'prompt':'\\ud800'}|prompt has half a surrogate pair (\\ud800) at character 1",
        "{'prompt':'a','temprature':1}|unknown field temprature; known are",
        "{'prompt':'a','temperature':'hot'}|temperature is the text \"hot\", must be a number",
        "{'prompt':'a','temperature':-1}|temperature is -1, must be from 0 to 100",
        "{'prompt':'a','temperature':1e999}|temperature is Infinity, must be from 0 to 100",
        "{'prompt':'a','top_p':0}|top_p is 0, must be from above 0 to 1",
        "{'prompt':'a','top_k':-2}|top_k is -2, must be at least -1",
        "{'prompt':'a','max_tokens':0}|max_tokens is 0, must be from 1",
        "{'prompt':'a','max_tokens':1.5}|max_tokens is 1.5, must be a whole number",
        "{'prompt':'a','max_tokens':2,'min_tokens':3}|min_tokens is 3, must be from 0 to 2",
        "{'prompt':'a','max_tokens':2,'max_completion_tokens':3}|max_tokens is 2 but"
            + " max_completion",
        "{'prompt':'a','n':0}|n is 0, must be from 1 to 128",
        "{'prompt':'a','seed':1e3}|seed is 1000.0, must be a whole number that fits 64 bits",
        "{'prompt':'a','seed':99999999999999999999}|seed is 99999999999999999999, must be a whole",
        "{'prompt':'a','stop':''}|stop contains an empty text",
        "{'prompt':'a','stop':[1]}|stop[0] is 1, must be a text",
        "{'prompt':'a','stop_token_ids':7}|stop_token_ids is 7, must be an array of token ids",
        "{'prompt':'a','logit_bias':{'x':1}}|logit_bias has the key 'x', must be token ids",
        "{'prompt':'a','logit_bias':{'5':101}}|logit_bias.5 is 101, must be a number from -100 to"
            + " 100",
        "{'prompt':'a','logprobs':-1}|logprobs is -1, must be at least 0",
        "{'prompt':'a','logprobs':21}|logprobs is 21, must be from -1 to 20",
        "{'prompt':'a','top_logprobs':2}|top_logprobs needs logprobs to be true",
        "{'prompt':'a','ignore_eos':'yes'}|ignore_eos is the text \"yes\", must be true or false",
        "{'id':1.5,'prompt':'a'}|id is 1.5, must be a text or a whole number",
        "{'id':{},'prompt':'a'}|id is an object, must be a text or a whole number",
        "{'messages':[]}|messages is empty",
        "{'messages':'hi'}|messages is the text \"hi\", must be an array of messages",
        "{'messages':[7]}|messages[0] is 7, must be an object with role and content",
        "{'messages':[{'content':'x'}]}|messages[0].role is missing",
        "{'messages':[{'role':'robot','content':'x'}]}|messages[0].role is the text \"robot\", must"
            + " be",
        "{'messages':[{'role':'user'}]}|messages[0].content is missing",
        "{'messages':[{'role':'user','content':'x','audio':1}]}|unknown field messages[0].audio",
        "{'messages':[{'role':'user','content':[{'type':'image_url'}]}]}|content[0].type is the"
            + " text",
        "{'messages':[{'role':'user','content':[{'type':'input_audio'}]}]}|content[0].type is the"
            + " text \"input_audio\", must be text; the models here read text only",
        "{'messages':[{'role':'user','content':'x','tool_calls':[]}]}|unknown field"
            + " messages[0].tool_calls",
        "{'messages':[{'role':'assistant','tool_calls':[{'function':{'name':'f','arguments':'{'}}]}"
            + "]}|messages[0].tool_calls[0].function.arguments is no text of a JSON object",
        "{'messages':[{'role':'assistant','tool_calls':[{'function':{}}]}]}|"
            + "messages[0].tool_calls[0].function.name is missing",
        "{'messages':[{'role':'user','content':'x'}],'tools':{}}|tools is an object, must be an"
            + " array",
        "{'messages':[{'role':'user','content':'x'}],'tools':[{'type':'web_search'}]}|tools[0].type"
            + " is the text \"web_search\", must be function",
        "{'messages':[{'role':'user','content':'x'}],'tool_choice':'required'}|tool_choice is the"
            + " text \"required\", must be auto or none",
        "{'prompt':'x','tools':[]}|unknown field tools",
        "{'prompt':'a','response_format':'json'}|response_format is the text \"json\", must be an"
            + " object",
        "{'prompt':'a','response_format':{'type':'xml'}}|response_format.type is the text \"xml\","
            + " must be text, json_object or json_schema",
        "{'prompt':'a','response_format':{'type':'text','x':1}}|unknown field response_format.x",
        "{'prompt':'a','response_format':{'type':'json_schema','json_schema':{'name':'n'}}}|"
            + "response_format.json_schema.schema is missing",
        "{'prompt':'a','response_format':{'type':'json_schema','json_schema':{'schema':{'not':{}}}}}"
            + "|response_format.json_schema.schema: schema #/not: this is not supported",
        "{'prompt':'a','regex':'a','response_format':{'type':'text'}}|the row has both regex and",
        "{'prompt':'a','regex':'\\\\b'}|regex: the regex has '\\b' at character 1",
        "{'custom_id':'a'}|url is missing",
        "{'custom_id':5,'url':'/v1/completions'}|custom_id is 5, must be a text",
        "{'url':'/v1/completions','body':{}}|custom_id is missing",
        "{'custom_id':'a','url':'/v1/embeddings','body':{}}|url is the text \"/v1/embeddings\","
            + " must be",
        "{'custom_id':'a','method':'GET','url':'/v1/completions','body':{}}|method is the text"
            + " \"GET\"",
        "{'custom_id':'a','url':'/v1/completions'}|body is missing",
        "{'custom_id':'a','url':'/v1/completions','body':[]}|body is an array, must be an object",
        "{'custom_id':'a','url':'/v1/completions','body':{}}|body.prompt is missing",
        "{'custom_id':'a','url':'/v1/chat/completions','body':{'prompt':'a'}}|body.messages is"
            + " missing",
        "{'custom_id':'a','url':'/v1/completions','body':{'prompt':'a','stream':true}}|body.stream"
            + " is true, only false is supported",
        "{'custom_id':'a','url':'/v1/completions','body':{'prompt':'a','x':1}}|unknown field"
            + " body.x;",
        "{'custom_id':'a','url':'/v1/chat/completions','body':{'messages':[{'role':'user','content':"
            + "'x'}],'tools':[{'type':'function','function':{'name':'f'}}]}}|body.tools cannot be"
            + " called here; set tool_choice to none",
        "{'custom_id':'a','url':'/v1/chat/completions','body':{'messages':[{'role':'user','content':"
            + "'x'}],'audio':{'voice':'a'}}}|unknown field body.audio;",
        "{'custom_id':'a','url':'/v1/chat/completions','body':{'messages':[{'role':'user','content':"
            + "'x'}],'modalities':['audio']}}|body.modalities is an array, only [\"text\"]",
        "{'custom_id':'a','url':'/v1/completions','body':{'prompt':'a'},'extra':1}|unknown field"
            + " extra",
      })
  void shouldSayWhatIsWrongAndGoOn(String line, String reason) throws Exception {
    List<Incoming> rows = read(line + "\n" + line);
    assertEquals(2, rows.size());
    String found = assertInstanceOf(BadRow.class, rows.get(0)).reason();
    assertEquals(reason, found.contains(reason) ? reason : found);
  }

  @Test
  void shouldRefuseDeepNestingAndGoOn() throws Exception {
    List<Incoming> rows = read("{'prompt':" + "[".repeat(100_000) + "\n{'prompt':'a'}");
    String reason = assertInstanceOf(BadRow.class, rows.get(0)).reason();
    assertEquals(true, reason.contains("nesting depth"), reason);
    assertInstanceOf(Row.class, rows.get(1));
  }

  private Row good(String line) throws Exception {
    Incoming row = read(line).getFirst();
    return assertInstanceOf(Row.class, row, row::toString);
  }

  private List<Incoming> read(String lines) throws Exception {
    return read(json(lines), row -> false);
  }

  private List<Incoming> read(String text, LongPredicate skipped) throws Exception {
    List<Incoming> found = new ArrayList<>();
    RowSource source =
        JsonLines.of(new ByteArrayInputStream(text.getBytes(StandardCharsets.UTF_8)));
    try (RowReader<Row> rows =
        RowReader.forGeneration(source, new RowDefaults(256), folder, skipped, found::add)) {
      for (Optional<Row> row = rows.next(); row.isPresent(); row = rows.next()) {
        found.add(row.get());
      }
    }
    return found;
  }

  /** Lets tests write ' for ". */
  private static String json(String lines) {
    return lines.replace('\'', '"');
  }
}
