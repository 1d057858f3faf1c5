import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Properties;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.Deserializer;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.apache.kafka.streams.AutoOffsetReset;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.errors.StreamsUncaughtExceptionHandler.StreamThreadExceptionResponse;
import org.apache.kafka.streams.kstream.Windowed;
import org.apache.kafka.streams.processor.TimestampExtractor;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.KeyValueIterator;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.Stores;
import org.apache.kafka.streams.state.WindowStore;

/**
 * Kafka Streams' part, on the terms of the package that this is in.
 *
 * <p>With the Processor API: a site lies in one partition, so its meters do, and the DSL's {@code
 * groupBy} would send everything through Kafka a second time. The stores are in memory with a
 * changelog each. There is no cache: every meter has one reading per window, so it would save no
 * record. A window is written once, when stream time, which ticks move on, passes its grace.
 */
public final class WindowMeans {
    private static final long WINDOW_MS = 5_000;
    private static final long GRACE_MS = 30_000;
    private static final String TICK_HEADER = "gridloom-tick";
    private static final String SUMS = "sums";
    private static final String PROGRESS = "progress";
    private static final String NEXT = "next";

    private WindowMeans() {}

    record Reading(String device, double value, long timeMs) {}

    /** Takes three fields out of the JSON as it streams by: the fastest that Jackson does. */
    static final class ReadingDeserializer implements Deserializer<Reading> {
        private static final JsonFactory JSON = new JsonFactory();

        @Override
        public Reading deserialize(String topic, byte[] bytes) {
            if (bytes == null) {
                return null;
            }
            String device = null;
            double value = Double.NaN;
            long timeMs = -1;
            try (JsonParser parser = JSON.createParser(bytes)) {
                parser.nextToken();
                while (parser.nextToken() == JsonToken.FIELD_NAME) {
                    String name = parser.currentName();
                    parser.nextToken();
                    switch (name) {
                        case "device" -> device = parser.getText();
                        case "value" -> value = parser.getDoubleValue();
                        case "event_time_ms" -> timeMs = parser.getLongValue();
                        default -> parser.skipChildren();
                    }
                }
            } catch (IOException error) {
                throw new UncheckedIOException(error);
            }
            return new Reading(device, value, timeMs);
        }
    }

    /** When a reading was measured; of a tick, the time that it carries [ms]. */
    static final class EventTime implements TimestampExtractor {
        private final Path began;
        private boolean hasBegun;

        EventTime(Path began) {
            this.began = began;
        }

        @Override
        public long extract(ConsumerRecord<Object, Object> record, long partitionTime) {
            if (!hasBegun) {
                hasBegun = true;
                note(began);
            }
            if (record.value() instanceof Reading reading) {
                return reading.timeMs();
            }
            Header tick = record.headers().lastHeader(TICK_HEADER);
            return tick == null
                    ? partitionTime
                    : Long.parseLong(new String(tick.value(), StandardCharsets.US_ASCII));
        }

        private static void note(Path began) {
            try {
                Files.writeString(began, Double.toString(System.nanoTime() / 1e9));
            } catch (IOException error) {
                throw new UncheckedIOException(error);
            }
        }
    }

    /** Sum and count per meter and window; {@code progress} says which window closes next. */
    static final class Means implements Processor<String, Reading, String, byte[]> {
        private static final int BYTES = Double.BYTES + Long.BYTES;
        private ProcessorContext<String, byte[]> context;
        private WindowStore<String, byte[]> sums;
        private KeyValueStore<String, Long> progress;

        @Override
        public void init(ProcessorContext<String, byte[]> context) {
            this.context = context;
            sums = context.getStateStore(SUMS);
            progress = context.getStateStore(PROGRESS);
        }

        @Override
        public void process(Record<String, Reading> record) {
            Long next = progress.get(NEXT);
            if (record.value() != null) {
                next = add(record.value(), next);
            }
            if (next == null) {
                return;
            }
            long startMs = next;
            while (startMs + WINDOW_MS + GRACE_MS <= context.currentStreamTimeMs()) {
                close(startMs);
                startMs += WINDOW_MS;
            }
            if (startMs != next) {
                progress.put(NEXT, startMs);
            }
        }

        /** Adds a reading, unless its window is closed; returns the window that closes next. */
        private Long add(Reading reading, Long next) {
            long startMs = reading.timeMs() - Math.floorMod(reading.timeMs(), WINDOW_MS);
            Long first = next;
            if (first == null) {
                first = startMs - GRACE_MS;
                progress.put(NEXT, first);
            }
            if (startMs >= first) {
                byte[] before = sums.fetch(reading.device(), startMs);
                double sum = before == null ? 0 : ByteBuffer.wrap(before).getDouble(0);
                long count = before == null ? 0 : ByteBuffer.wrap(before).getLong(Double.BYTES);
                ByteBuffer now = ByteBuffer.allocate(BYTES);
                now.putDouble(sum + reading.value()).putLong(count + 1);
                sums.put(reading.device(), now.array(), startMs);
            }
            return first;
        }

        private void close(long startMs) {
            try (KeyValueIterator<Windowed<String>, byte[]> meters = sums.fetchAll(startMs, startMs)) {
                while (meters.hasNext()) {
                    var meter = meters.next();
                    String device = meter.key.key();
                    ByteBuffer sum = ByteBuffer.wrap(meter.value);
                    byte[] json = json(device, startMs, sum.getDouble(), sum.getLong());
                    context.forward(new Record<>(device, json, startMs));
                }
            }
        }

        private static byte[] json(String device, long startMs, double sum, long count) {
            String text =
                    "{\"device\":\"" + device + "\",\"window_start_ms\":" + startMs
                            + ",\"mean\":" + sum / count + ",\"count\":" + count + "}";
            return text.getBytes(StandardCharsets.UTF_8);
        }
    }

    private static Topology topology(String input, String output, Path began) {
        Duration kept = Duration.ofMillis(2 * (WINDOW_MS + GRACE_MS));
        var sums = Stores.inMemoryWindowStore(SUMS, kept, Duration.ofMillis(WINDOW_MS), false);
        var progress = Stores.inMemoryKeyValueStore(PROGRESS);
        return new Topology()
                .addSource(
                        AutoOffsetReset.earliest(),
                        "readings",
                        new EventTime(began),
                        new StringDeserializer(),
                        new ReadingDeserializer(),
                        input)
                .addProcessor("means", Means::new, "readings")
                .addStateStore(
                        Stores.windowStoreBuilder(sums, Serdes.String(), Serdes.ByteArray()),
                        "means")
                .addStateStore(
                        Stores.keyValueStoreBuilder(progress, Serdes.String(), Serdes.Long()),
                        "means")
                .addSink("out", output, new StringSerializer(), new ByteArraySerializer(), "means");
    }

    private static Properties config(String bootstrap, String group, String commitMs, Path folder) {
        Properties config = new Properties();
        config.put(StreamsConfig.APPLICATION_ID_CONFIG, group);
        config.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, bootstrap);
        config.put(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, StreamsConfig.EXACTLY_ONCE_V2);
        config.put(StreamsConfig.NUM_STREAM_THREADS_CONFIG, 1);
        config.put(StreamsConfig.REPLICATION_FACTOR_CONFIG, 1);
        config.put(StreamsConfig.COMMIT_INTERVAL_MS_CONFIG, commitMs);
        config.put(StreamsConfig.STATE_DIR_CONFIG, folder.resolve("state").toString());
        config.put(StreamsConfig.producerPrefix("compression.type"), "lz4");
        // The broker deletes by record time: changelogs of readings from long ago would vanish.
        config.put(StreamsConfig.topicPrefix("message.timestamp.type"), "LogAppendTime");
        return config;
    }

    public static void main(String[] args) {
        Path folder = Path.of(args[6]);
        Topology topology = topology(args[1], args[2], folder.resolve("began"));
        KafkaStreams streams = new KafkaStreams(topology, config(args[0], args[3], args[5], folder));
        streams.setUncaughtExceptionHandler(
                error -> {
                    error.printStackTrace();
                    Runtime.getRuntime().halt(1);
                    return StreamThreadExceptionResponse.SHUTDOWN_CLIENT;
                });
        streams.start();
    }
}
