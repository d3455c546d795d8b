package dev.offload.constraint;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Random;
import org.apache.lucene.util.automaton.Automaton;
import org.apache.lucene.util.automaton.ByteRunAutomaton;
import org.apache.lucene.util.automaton.Operations;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What JSON schemas let through, and what of them is refused. */
final class TextConstraintTest {
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "{'type':'integer'}| 0 -7 123456789012345678| -0 01 1.0 1e2 +1 1234567890123456789 - true",
        "{'type':'number'}| 0 -0.5 1e9 2.5E-07| .5 1. 1e 1e100 0x1",
        "{'type':['boolean','null']}| true false null| True nul 0",
        "{'type':'integer','minimum':-12,'maximum':103}| -12 -9 0 7 99 100 103| -13 104 200 -20",
        "{'type':'integer','exclusiveMinimum':7.5,'exclusiveMaximum':10}| 8 9| 7 10 80",
        "{'type':'number','minimum':0,'maximum':1}| 0 1 0.5 0.0 1.00 0.99| -0 1.01 1e0 2 00.5 10 -0.1",
        "{'type':'number','exclusiveMinimum':-1.25,'maximum':12.5}"
            + "| -1.2 -1.249 -0.5 0 9.99 12.5 12.50| -1.25 -1.26 -1.250 12.501 12.6 13 100 -2",
        "{'type':'number','minimum':-20,'exclusiveMaximum':-3}| -20 -3.1 -19.9| -3 -3.0 -20.1 3 0",
        "{'exclusiveMinimum':0}| 0.1 1 10 100 999999999999999999.5| 0 0.0 -1 1000000000000000000",
        "{'type':'integer','minimum':10}| 10 11 100| 9 1 -10 10.0",
        "{'type':'string'}| '' 'a' '\\n\\u0001\\u001F\\\\\\'' 'é😀'| ' 'a 'a'b' '\\x' '\\u0041' a",
        "{'type':'string','minLength':1,'maxLength':2}| 'é' '😀😀' '\\n\\\\'| '' 'abc'",
        "{'type':'string','pattern':'b\\\\n'}| 'ab\\nc' 'b\\n'| 'bn' 'b' 'b\\\\n'",
        "{'type':'string','pattern':'^[a-z]+$','maxLength':2}| 'ab' 'z'| '' 'abc' 'aB'",
        "{'pattern':'^\\\\d'}| '1' '1a'| 1 'a1'",
        "{'enum':['a',1,null,1.50,{'k':[]}]}| 'a' 1 null 1.50 {'k':[]} {'k':_[]}| 'b' 1.5 {}",
        "{'type':'string','enum':['a',1]}| 'a'| 1",
        "{'const':[1,{'a':'b'}]}| [1,{'a':'b'}] [1,_{'a':_'b'}]| [1] [1,__{'a':'b'}]",
        "{'anyOf':[{'const':1},{'type':'boolean'}]}| 1 true| 2 null",
        "{'oneOf':[{'type':'integer'},{'type':'string'}]}| 1 'a'| null",
        "{'allOf':[{'type':'null'}],'title':'x'}| null| 1",
        "{'type':'array','items':{'const':1}}| [] [1] [1,1,_1]| [_1] [1,] [1_,1] 1",
        "{'type':'array','items':{'const':1},'minItems':2,'maxItems':3}| [1,1] [1,1,1]| [1] [] [1,1,1,1]",
        "{'type':'array','items':{'const':1},'minItems':2}| [1,1] [1,1,1,1]| [1] []",
        "{'type':'array','maxItems':0}| []| [1]",
        "{'items':{'items':{'type':'null'}}}| [] [[]] [[null,null],[]]| [null] [[1]]",
        "{'type':'object'}| {} {'a':1} {'a':{'b':[{}]},_'c':null}| [] {'a'} {a:1} {'a':1,}",
        "{'additionalProperties':{'type':'integer'}}| {} {'a':1,'b':2}| {'a':'b'}",
        "{'properties':{},'additionalProperties':false}| {}| {'a':1}",
        "{'properties':{'a':{'const':1},'b':{'const':2},'c':{'const':3}},'required':['b']}"
            + "| {'b':2} {'a':1,'b':2} {'b':2,_'c':3} {'a':1,'b':2,'c':3}"
            + "| {} {'a':1} {'b':2,'a':1} {'a':1,'c':3} {'b':2,'b':2} {,'b':2} {'b':2,'d':1}",
        "{'$ref':'#/$defs/x~1y','$defs':{'x/y':{'items':{'$ref':'#/$defs/n'}},'n':{'type':'null'}}}"
            + "| [null] []| null [[]]",
        "{'type':'string','anyOf':[{'minLength':2},{'const':'a'}],'maxLength':3}| 'a' 'ab' 'abc'| 'b' 'abcd'",
        "true| 1 {'a':[[[{}]]]} 'x'| x {'a':[[[[{}]]]]}"
      })
  void shouldLetThroughJustWhatASchemaAllows(String schema, String valid, String invalid) {
    TextConstraint constraint = TextConstraint.jsonSchema(json(schema));
    for (String text : valid.split(" ", -1)) {
      assertTrue(accepts(constraint, json(text)), () -> schema + " must allow " + text);
    }
    for (String text : invalid.split(" ", -1)) {
      assertEquals(
          false, accepts(constraint, json(text)), () -> schema + " must not allow " + text);
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "{'type':'string','format':'date'}| #/format: this is not supported",
        "{'properties':{'a':{'items':{'not':{}}}}}| #/properties/a/items/not: this is not",
        "{'type':'integer','multipleOf':2}| #/multipleOf",
        "{'allOf':[{},{}]}| #/allOf: this is not supported",
        "{'oneOf':[{'type':'integer'},{'type':'number'}]}| #/oneOf: this is not supported",
        "{'oneOf':[{'const':1},{'const':2}]}| #/oneOf",
        "{'items':{'$ref':'#'}}| # contains itself",
        "{'$ref':'#/$defs/a','$defs':{'a':{'items':{'$ref':'#/$defs/a'}}}}| #/$defs/a contains itself",
        "{'$ref':'other.json'}| #/$ref: this is not supported",
        "{'$ref':'#/$defs/no'}| there is no '#/$defs/no'",
        "{'$ref':'#x'}| is no JSON pointer",
        "{'required':['a']}| #/required: this is not supported; properties does not describe a",
        "{'properties':{'a':false}}| #/properties/a: nothing is valid",
        "{'type':'text'}| #/type: `\"text\"` is no type",
        "{'type':[]}| #/type: it names no type",
        "{'type':'string','enum':[1]}| #/enum: no value has the type",
        "{'enum':[]}| #/enum: it must be",
        "{'minLength':-1}| #/minLength: -1 is no count",
        "{'minLength':3,'maxLength':2}| #: the most, 2, is below the least, 3",
        "{'type':'integer','minimum':1.2,'maximum':1.9}| #: no number that can be written",
        "{'minimum':1e400000000}| #/minimum: this is not supported; its exponent",
        "{'minimum':1e30}| #: no number that can be written",
        "{'pattern':'(?=a)'}| #/pattern: the regex has '(?=' at character 1",
        "{'pattern':'^a$','minLength':2}| #/pattern: no text of the allowed length",
        "{'anyOf':[{'const':1}],'type':'string'}| leave no value",
        "{'properties':{'a':{'$id':'x'}}}| #/properties/a/$id",
        "{'const':'\\ud800'}| half of a surrogate pair",
        "{'type':'string','maxLength':100000}| states",
        "{'items':{'type':'string','maxLength':2000},'maxItems':2000}| states",
        "[1]| # : a schema must be",
        "{'a| broken JSON at line 1, column",
        "{'type':'null','type':'null'}| broken JSON"
      })
  void shouldRefuseWhatItCannotGuarantee(String schema, String message) {
    String told =
        assertThrows(IllegalArgumentException.class, () -> TextConstraint.jsonSchema(json(schema)))
            .getMessage();
    String wanted = message.replace("`", "").replace("# :", "#:");
    assertTrue(told.contains(wanted), told);
  }

  /** The largest that the documents promise. */
  @Test
  void shouldAllowLongTextsAndManyProperties() {
    TextConstraint text = TextConstraint.jsonSchema("{\"type\":\"string\",\"maxLength\":3000}");
    assertTrue(text.states() > 50_000, text.states() + " states");
    StringBuilder schema = new StringBuilder("{\"type\":\"object\",\"properties\":{");
    for (int i = 0; i < 200; i++) {
      schema.append(i == 0 ? "" : ",").append("\"p" + i + "\":{\"type\":\"integer\"}");
    }
    TextConstraint optional = TextConstraint.jsonSchema(schema + "}}");
    assertTrue(accepts(optional, "{\"p3\":1,\"p70\":2,\"p199\":3}"));
  }

  @Test
  void shouldWriteJustTheNumbersBetweenBounds() {
    Random random = new Random(3);
    for (int i = 0; i < 60; i++) {
      BigDecimal least = BigDecimal.valueOf(random.nextInt(4000) - 2000, random.nextInt(4));
      BigDecimal most = least.add(BigDecimal.valueOf(1 + random.nextInt(3000), random.nextInt(4)));
      boolean above = random.nextBoolean();
      boolean below = random.nextBoolean();
      int fraction = random.nextInt(3);
      Automaton numbers =
          BoundedAutomata.determinized(
              new NumberRange(least, above, most, below, fraction).toAutomaton());
      for (int unit = -50_000; unit < 60_000; unit += 1 + random.nextInt(40)) {
        BigDecimal number = BigDecimal.valueOf(unit, fraction);
        boolean inside =
            number.compareTo(least) >= (above ? 1 : 0)
                && number.compareTo(most) <= (below ? -1 : 0);
        assertEquals(
            inside,
            Operations.run(numbers, number.toPlainString()),
            () -> number + " of " + least + " to " + most);
      }
    }
  }

  /** References that double with each step, and values nested without end. */
  @Test
  void shouldRefuseHostileSchemasInTime() {
    StringBuilder defs = new StringBuilder();
    for (int i = 0; i < 30; i++) {
      defs.append(
          "'d%d':{'properties':{'a':{'$ref':'#/$defs/d%d'},'b':{'$ref':'#/$defs/d%d'}}},"
              .formatted(i, i + 1, i + 1));
    }
    String doubling = "{'$ref':'#/$defs/d0','$defs':{" + defs + "'d30':{'type':'string'}}}";
    StringBuilder chain = new StringBuilder();
    for (int i = 0; i < 5000; i++) {
      chain.append("'d%d':{'$ref':'#/$defs/d%d'},".formatted(i, i + 1));
    }
    String chained = "{'$ref':'#/$defs/d0','$defs':{" + chain + "'d5000':{'type':'null'}}}";
    assertTimeoutPreemptively(
        Duration.ofMinutes(10),
        () -> {
          refuses("states", json(doubling));
          refuses("references lead", json(chained));
          refuses("broken JSON", "{\"items\":".repeat(5000));
          refuses("characters, at most", "{\"title\":\"" + "x".repeat(2 << 20));
        });
  }

  private static void refuses(String message, String schema) {
    String told =
        assertThrows(IllegalArgumentException.class, () -> TextConstraint.jsonSchema(schema))
            .getMessage();
    assertTrue(told.contains(message), told);
  }

  private static String json(String text) {
    return text.replace('\'', '"').replace('_', ' ');
  }

  private static boolean accepts(TextConstraint constraint, String text) {
    ByteRunAutomaton automaton = new ByteRunAutomaton(constraint.bytes(), true);
    int state = 0;
    for (byte each : text.getBytes(StandardCharsets.UTF_8)) {
      state = state < 0 ? state : automaton.step(state, Byte.toUnsignedInt(each));
    }
    return state >= 0 && automaton.isAccept(state);
  }
}
