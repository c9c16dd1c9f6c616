// Answers one-letter commands about the board that it runs on and about the Arduino API.
// Lines end in \n; every answer is one line.

extern "C" uint8_t hil_platform_reset_cause(void);
extern "C" uint32_t hil_platform_boot_count(void);
extern "C" uint32_t hil_platform_rx_overruns(void);
extern "C" uint32_t __heap_end[];

static uint32_t kept __attribute__((section(".retained")));
static uint32_t zeroed;
static unsigned long started, greeted;

void setup() {
  Serial.begin(115200);
  started = millis();
  while (!Serial) {
  }
  greeted = millis();
  Serial.println("hello");
}

static void boot() {
  Serial.print(hil_platform_reset_cause());
  Serial.print(' ');
  Serial.print((unsigned long)hil_platform_boot_count());
  Serial.print(' ');
  Serial.print((unsigned long)++kept);
  Serial.print(' ');
  Serial.println((unsigned long)++zeroed);
}

static void numbers() {
  Serial.print(3.14159f);
  Serial.print(' ');
  Serial.print(-2.5, 0);
  Serial.print(' ');
  Serial.print(0.000012345, 6);
  Serial.print(' ');
  Serial.print(NAN);
  Serial.print(' ');
  Serial.print(1e10);
  Serial.print(' ');
  Serial.print(255, HEX);
  Serial.print(' ');
  Serial.print(-1, HEX);
  Serial.print(' ');
  Serial.print((uint8_t)65);
  Serial.print(' ');
  Serial.print('A');
  Serial.print(' ');
  Serial.println(1.0f, 4);
}

static void strings() {
  String text = "  Value=";
  text += 42;
  text += ',';
  text += 1.5f;
  text = text + "," + String(255, HEX) + ';' + 7L + ' ';
  text.trim();
  Serial.print(text);
  Serial.print(' ');
  Serial.print(text.indexOf("42"));
  Serial.print(' ');
  Serial.print(text.substring(6, 8).toInt() + 1);
  text.replace("Value", "v");
  text.toUpperCase();
  text += text;
  Serial.print(' ');
  Serial.print(text);
  Serial.print(' ');
  Serial.println("a" + String(text.startsWith("V=")) + (text == "x") + (text < String("W")));
}

static void parse() {
  const long first = Serial.parseInt();
  const long second = Serial.parseInt();
  const float third = Serial.parseFloat();
  const String rest = Serial.readStringUntil('\n');
  Serial.print(first);
  Serial.print(' ');
  Serial.print(second);
  Serial.print(' ');
  Serial.print(third, 3);
  Serial.print(" [");
  Serial.print(rest);
  Serial.println("]");
}

static void wait() {
  const unsigned long before = micros();
  delay(1);
  const unsigned long middle = micros();
  delay(250);
  Serial.print(middle - before);
  Serial.print(' ');
  Serial.println(micros() - middle);
}

void loop() {
  switch (Serial.read()) {
    case 'b': boot(); break;
    case 'p': Serial.println((unsigned long)__heap_end[-1], HEX); break;
    case 'w': Serial.println(greeted - started); break;
    case 'n': numbers(); break;
    case 's': strings(); break;
    case 'i': parse(); break;
    case 'd': wait(); break;
    case 'm': Serial.println(millis()); break;
    case 'o': Serial.println((unsigned long)hil_platform_rx_overruns()); break;
    case 'f': for (;;) Serial.println("a flood that nobody stops");
  }
}
